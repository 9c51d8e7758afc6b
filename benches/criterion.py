#!/usr/bin/env python3
"""Turns what criterion prints into a Markdown table, on stdin and stdout: the median time and throughput of each.

    cargo bench --all-features --bench decode | python3 benches/criterion.py
"""

import re
import sys

MEDIAN = r"\[\S+ \S+ (?P<value>\S+ \S+) \S+ \S+\]"

print("| bench | time | throughput |")
print("|---|---:|---:|")
name = time = None
for line in sys.stdin:
    # A long name has a line of its own before its figures.
    if found := re.match(r"^(?P<name>\S.*?)?\s+time:\s+" + MEDIAN, line):
        name, time = found["name"] or previous.strip(), found["value"]
    elif name and (found := re.match(r"^\s+thrpt:\s+" + MEDIAN, line)):
        print(f"| {name} | {time} | {found['value']} |")
        name = None
    previous = line
