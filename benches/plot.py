#!/usr/bin/env python3
"""Draws what peers.py has measured as one SVG: throughput, and peak memory, of all engines side by side.

    python3 benches/plot.py peers.json peers.svg
"""

import argparse
import json
from xml.sax.saxutils import escape

COLOURS = {
    "csv-stream": "#d1495b", "datafusion": "#30638e", "duckdb": "#edae49", "polars": "#00798c", "pyarrow": "#8d96a3",
}  # fmt: skip
LABELS = {"csv-stream": "csv-stream (this)", "datafusion": "DataFusion", "duckdb": "DuckDB", "polars": "Polars"}

WIDTH, MARGIN, NAMES, BAR, GAP, TOP = 980, 20, 130, 13, 14, 96
PANEL = (WIDTH - 2 * MARGIN - NAMES - 40) // 2


def text(x, y, words, size=12, anchor="start", colour="#222", weight="normal"):
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' font-weight='{weight}' text-anchor='{anchor}' "
        f"fill='{colour}'>{escape(words)}</text>"
    )


def rectangle(x, y, width, height, colour, opacity=1.0):
    return (
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 0.5):.1f}' height='{height:.1f}' fill='{colour}' "
        f"fill-opacity='{opacity}'/>"
    )


def panel(left, title, note, groups, engines, figures, show):
    """A bar for each engine in each group. `figures` gives the parts that a bar is made of, the paler first."""
    out = [text(left, TOP - 28, title, 14, weight="bold"), text(left, TOP - 12, note, 11, colour="#666")]
    longest = max(sum(figures(query, engine)) for query in groups for engine in engines)
    y = TOP
    for query in groups:
        for engine in engines:
            x, parts = left, figures(query, engine)
            for part, opacity in zip(parts, (1.0,) if len(parts) == 1 else (0.35, 1.0)):
                width = part / longest * (PANEL - 60)
                out.append(rectangle(x, y, width, BAR - 2, COLOURS[engine], opacity))
                x += width
            out.append(text(x + 4, y + BAR - 4, show(sum(parts)), 10, colour="#444"))
            y += BAR
        y += GAP
    return out


def draw(report, threads):
    results = {(r["query"], r["engine"]): r for r in report["results"] if r["threads"] == threads}
    queries = list(dict.fromkeys(query for query, _ in results))
    engines = [engine for engine in COLOURS if any(name == engine for _, name in results)]
    height = TOP + len(queries) * (len(engines) * BAR + GAP) + 30
    left, right = MARGIN + NAMES, MARGIN + NAMES + PANEL + 40
    out = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' "
        "font-family='system-ui, sans-serif'>",
        rectangle(0, 0, WIDTH, height, "#ffffff"),
    ]
    x = MARGIN
    for engine in engines:
        label = LABELS.get(engine, engine)
        out += [rectangle(x, 18, 12, 12, COLOURS[engine]), text(x + 18, 28, label, 12)]
        x += 40 + 7 * len(label)
    for number, query in enumerate(queries):
        y = TOP + number * (len(engines) * BAR + GAP) + len(engines) * BAR / 2 + 4
        out.append(text(left - 10, y, query, 12, "end"))

    def throughput(query, engine):
        return [report["file_bytes"] / 1e6 / results[query, engine]["seconds"]]

    def memory(query, engine):
        result = results[query, engine]
        idle = min(result["idle_rss"], result["rss"])
        return [idle / 2**20, (result["rss"] - idle) / 2**20]

    note = f"MB of CSV per second; longer is better; {threads} thread{'s' * (threads > 1)}"
    out += panel(left, "Throughput", note, queries, engines, throughput, lambda value: f"{value:,.0f}")
    note = "MiB, the whole process; pale: the engine before it reads; shorter is better"
    out += panel(right, "Peak memory", note, queries, engines, memory, lambda value: f"{value:,.0f}")
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    size = report["file_bytes"] // 10**6
    foot = f"lineitem.csv, {size} MB, in the page cache; {report['cpu']}; {report['date']}; {versions}"
    out += [text(MARGIN, height - 12, foot, 10, colour="#666"), "</svg>"]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json")
    parser.add_argument("svg")
    parser.add_argument("--threads", type=int, help="which of the measured; the most, unless it is given")
    args = parser.parse_args()
    with open(args.json) as file:
        report = json.load(file)
    threads = args.threads or max(result["threads"] for result in report["results"])
    with open(args.svg, "w") as file:
        file.write(draw(report, threads))


if __name__ == "__main__":
    main()
