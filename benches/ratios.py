#!/usr/bin/env python3
"""Prints what criterion measured as Markdown: a table per group, with the median of each reader and its ratio to ours.

Ours is the fastest of the names that start with "ours". A ratio above 1 is how many times longer the other one takes.

    cargo bench --no-default-features --bench parse
    python3 benches/ratios.py [--group TEXT] [CRITERION_DIRECTORY]

The directory is $CARGO_TARGET_DIR/criterion, or target/criterion beside this script's parent, if none is given. Ratios
mean something within one run only: what is older than the newest result by more than --hours is left out.
"""

import argparse
import json
import os
import pathlib


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", nargs="?", type=pathlib.Path, default=default_directory())
    parser.add_argument("--group", default="", help="only groups whose name has this in it")
    parser.add_argument("--hours", type=float, default=1, help="how long a run takes at most (default: 1)")
    arguments = parser.parse_args()
    results = read(arguments.directory, arguments.hours)
    if not results:
        parser.error(f"no results in {arguments.directory}")
    for group, functions in results.items():
        if arguments.group in group:
            print_table(group, functions)


def default_directory():
    root = pathlib.Path(__file__).resolve().parent.parent
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "criterion"


def read(directory, hours):
    """{group: {function: (median in seconds, throughput)}}, each in the order in which it was measured."""
    files = [(path.stat().st_mtime, path) for path in directory.glob("**/new/estimates.json")]
    newest = max((time for time, _ in files), default=0)
    results = {}
    for time, path in sorted(files):
        if newest - time > hours * 3600:
            continue
        benchmark = json.loads(path.with_name("benchmark.json").read_text())
        median = json.loads(path.read_text())["median"]["point_estimate"] / 1e9
        functions = results.setdefault(benchmark["group_id"], {})
        functions[benchmark["function_id"] or ""] = median, throughput(benchmark["throughput"])
    return results


def throughput(recorded):
    """{unit: amount}, of what criterion writes as {"Bytes": 1} or {"ElementsAndBytes": {"elements": 1, "bytes": 2}}."""
    amounts = {}
    for name, amount in (recorded or {}).items():
        amounts.update(amount if isinstance(amount, dict) else {name.lower(): amount})
    return amounts


def print_table(group, functions):
    ours = min((median for name, (median, _) in functions.items() if name.startswith("ours")), default=None)
    print(f"### {group}\n\n| | median, ms | GB/s | million fields/s | ratio to ours |\n|---|---:|---:|---:|---:|")
    for name, (median, amounts) in functions.items():
        cells = [
            name,
            f"{median * 1e3:.2f}",
            rate(amounts.get("bytes"), median * 1e9, ".2f"),
            rate(amounts.get("elements"), median * 1e6, ".0f"),
            f"{median / ours:.2f}" if ours else "",
        ]
        print("| " + " | ".join(cells) + " |")
    print()


def rate(amount, unit, form):
    return "" if amount is None else format(amount / unit, form)


if __name__ == "__main__":
    main()
