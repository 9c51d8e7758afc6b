#!/usr/bin/env python3
"""The same queries over the same CSV file on the peers and on this engine's command line: time and peak memory.

    python3 -m venv venv && venv/bin/pip install duckdb polars pyarrow datafusion==55.0.0
    cargo bench --all-features --no-run --bench scan       # builds target/release/csv-stream
    python3 benches/peers.py --python venv/bin/python --json peers.json

Each query runs in a process of its own, each engine in turn with the others, with its defaults: each infers the schema
by itself. Once with one thread, the process held to one core; once with all. The file is $CSV_STREAM_BENCH_LINEITEM, a
CSV file of TPC-H's lineitem with a header; without it, one of some 100 MB is generated.

This file is the driver, on the standard library alone, and also what runs in the peers' processes (--child).
"""

import argparse
import datetime
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

COLUMNS = [
    "l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax",
    "l_returnflag", "l_linestatus", "l_shipdate", "l_commitdate", "l_receiptdate", "l_shipinstruct", "l_shipmode",
    "l_comment",
]  # fmt: skip

QUERIES = {
    "count(*)": "SELECT count(*) AS n FROM {table}",
    "sum of one column": "SELECT sum(l_quantity) AS s FROM {table}",
    "max of all 16 columns": "SELECT " + ", ".join(f"max({c}) AS {c}" for c in COLUMNS) + " FROM {table}",
    "TPC-H Q1": """
        SELECT l_returnflag, l_linestatus, sum(l_quantity) AS a, sum(l_extendedprice) AS b,
            sum(l_extendedprice * (1 - l_discount)) AS c,
            sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS d,
            avg(l_quantity) AS e, avg(l_extendedprice) AS f, avg(l_discount) AS g, count(*) AS h
        FROM {table} WHERE l_shipdate <= DATE '1998-09-02'
        GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus""",
    "TPC-H Q6": """
        SELECT sum(l_extendedprice * l_discount) AS s FROM {table}
        WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
            AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24""",
}

# What an engine is and does before it reads a file.
IDLE = "idle"

OURS = "csv-stream"


# ---- What runs in a peer's process. Each gives a function that is timed, and that returns rows.


def duckdb(query, path, threads):
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    return lambda: connection.execute(QUERIES[query].format(table=f"'{path}'")).fetchall()


def polars(query, path, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars

    def run():
        table = polars.scan_csv(path, try_parse_dates=True)
        context = polars.SQLContext(lineitem=table)
        return context.execute(QUERIES[query].format(table="lineitem")).collect(engine="streaming").rows()

    return run


def datafusion(query, path, threads):
    os.environ["TOKIO_WORKER_THREADS"] = str(threads)
    import datafusion

    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads))

    def run():
        context.register_csv("lineitem", path)
        batches = context.sql(QUERIES[query].format(table="lineitem")).collect()
        return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]

    return run


def pyarrow(query, path, threads):
    """A dataset, read by Acero, whose plans are made by hand as it has no SQL."""
    import pyarrow
    import pyarrow.acero as acero
    import pyarrow.compute as pc
    import pyarrow.dataset

    pyarrow.set_cpu_count(threads)
    column = pc.field

    def scan(table, columns, condition=None):
        options = dict(columns={name: column(name) for name in columns})
        declarations = [acero.Declaration("scan", acero.ScanNodeOptions(table, filter=condition, **options))]
        if condition is not None:
            declarations.append(acero.Declaration("filter", acero.FilterNodeOptions(condition)))
        return declarations

    def project(**columns):
        return acero.Declaration("project", acero.ProjectNodeOptions(list(columns.values()), list(columns)))

    def aggregate(*aggregates, keys=None):
        columns = [(source, function, None, name) for source, function, name in aggregates]
        return acero.Declaration("aggregate", acero.AggregateNodeOptions(columns, keys=keys))

    def rows(declarations, use_threads=threads > 1):
        table = acero.Declaration.from_sequence(declarations).to_table(use_threads=use_threads)
        return [tuple(row.values()) for row in table.to_pylist()]

    def run():
        table = pyarrow.dataset.dataset(path, format="csv")
        if query == "count(*)":
            return [(table.count_rows(use_threads=threads > 1),)]
        if query == "sum of one column":
            return rows([*scan(table, ["l_quantity"]), aggregate(("l_quantity", "sum", "s"))])
        if query == "max of all 16 columns":
            # Acero has no maximum of strings: batches come as they are read, and one row of each is kept.
            batches = table.to_batches(columns=COLUMNS, use_threads=threads > 1)
            best = [tuple(pc.max(batch[name]).as_py() for name in COLUMNS) for batch in batches if batch.num_rows]
            return [tuple(max(values) for values in zip(*best))]
        if query == "TPC-H Q1":
            names = ["l_returnflag", "l_linestatus", "l_quantity", "l_extendedprice", "l_discount", "l_tax", "l_shipdate"]
            discounted = column("l_extendedprice") * (pc.scalar(1) - column("l_discount"))
            return sorted(
                rows([
                    *scan(table, names, column("l_shipdate") <= datetime.date(1998, 9, 2)),
                    project(
                        **{name: column(name) for name in names[:5]},
                        discounted=discounted,
                        charge=discounted * (pc.scalar(1) + column("l_tax")),
                    ),
                    aggregate(
                        ("l_quantity", "hash_sum", "a"), ("l_extendedprice", "hash_sum", "b"),
                        ("discounted", "hash_sum", "c"), ("charge", "hash_sum", "d"),
                        ("l_quantity", "hash_mean", "e"), ("l_extendedprice", "hash_mean", "f"),
                        ("l_discount", "hash_mean", "g"), ([], "hash_count_all", "h"),
                        keys=["l_returnflag", "l_linestatus"],
                    ),
                ])
            )  # fmt: skip
        names = ["l_extendedprice", "l_discount", "l_quantity", "l_shipdate"]
        shipped, discount = column("l_shipdate"), column("l_discount")
        condition = (
            (shipped >= datetime.date(1994, 1, 1)) & (shipped < datetime.date(1995, 1, 1))
            & (discount >= 0.05) & (discount <= 0.07) & (column("l_quantity") < 24)
        )  # fmt: skip
        revenue = project(revenue=column("l_extendedprice") * discount)
        return rows([*scan(table, names, condition), revenue, aggregate(("revenue", "sum", "s"))])

    return run


PEERS = {"duckdb": duckdb, "polars": polars, "pyarrow": pyarrow, "datafusion": datafusion}


def child(peer, query, path, threads):
    run = PEERS[peer](query, path, threads) if query != IDLE else None
    if run is None:
        PEERS[peer]("count(*)", path, threads)
        answer, elapsed = [], 0.0
    else:
        started = time.perf_counter()
        answer = run()
        elapsed = time.perf_counter() - started
    json.dump({"seconds": elapsed, "rows": answer, "version": sys.modules[peer].__version__}, sys.stdout, default=str)


# ---- The driver.


class Engine:
    def __init__(self, name, arguments):
        self.name, self.arguments = name, arguments

    def command(self, query, path, threads):
        if self.name != OURS:
            return [*self.arguments, "--child", self.name, "--query", query, "--threads", str(threads), path]
        sql = "SELECT 1 AS one" if query == IDLE else QUERIES[query].format(table=f"'{path}'")
        return [*self.arguments, "query", sql, "--format", "ndjson", "--stats", "--threads", str(threads)]

    def run(self, query, path, threads):
        """One process: its rows, the seconds of the query and of the process, and the most memory it had, in bytes."""
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.command(query, path, threads),
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )  # fmt: skip
            _, status, usage = os.wait4(process.pid, 0)
            elapsed = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            out, err = out.read().decode(), err.read().decode()
        if process.returncode != 0:
            sys.exit(f"{self.name}, {query}: exit code {process.returncode}\n{err}")
        run = {"process_seconds": elapsed, "cpu_seconds": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss << 10}
        if self.name == OURS:
            stats = json.loads(err.splitlines()[-1])
            rows = [list(json.loads(line).values()) for line in out.splitlines()]
            return run | {"seconds": stats["elapsed_ms"] / 1000, "rows": rows}
        return run | json.loads(out)


def agree(left, right):
    """Whether two answers are the same, but for the last digits of sums of floating point numbers."""

    def same(a, b):
        if isinstance(a, str) or isinstance(b, str):
            return a == b
        return math.isclose(a, b, rel_tol=1e-9)

    return len(left) == len(right) and all(
        len(a) == len(b) and all(same(x, y) for x, y in zip(a, b)) for a, b in zip(left, right)
    )


def generate(path, rows=850_000):
    """Rows like lineitem's."""
    rng = random.Random(1)
    words = "carefully final deposits sleep slyly requests about the even ideas".split()
    dates = [str(datetime.date(1992, 1, 1) + datetime.timedelta(days)) for days in range(2500)]
    with open(path, "w") as out:
        out.write(",".join(COLUMNS) + "\n")
        for row in range(rows):
            quantity = rng.randrange(1, 51)
            price = quantity * rng.randrange(90_000, 210_000)
            fields = [
                1 + row // 4, rng.randrange(1, 200_001), rng.randrange(1, 10_001), 1 + row % 4, quantity,
                f"{price // 100}.{price % 100:02}", f"0.{rng.randrange(11):02}", f"0.{rng.randrange(9):02}",
                rng.choice("NRA"), rng.choice("OF"), rng.choice(dates), rng.choice(dates), rng.choice(dates),
                rng.choice(["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]),
                rng.choice(["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]),
                '"' + " ".join(rng.choices(words, k=rng.randrange(2, 7))) + '"',
            ]  # fmt: skip
            out.write(",".join(map(str, fields)) + "\n")


def measure(engines, path, threads, runs, queries):
    """For each query the results of each engine, all of which have to agree."""
    idle = {engine.name: engine.run(IDLE, path, threads)["rss"] for engine in engines}
    for query in queries:
        done = {engine.name: [] for engine in engines}
        for _ in range(runs):
            for engine in engines:
                run = engine.run(query, path, threads)
                expected = done[engines[0].name] or [run]
                if not agree(run["rows"], expected[0]["rows"]):
                    sys.exit(f"{query}: {engine.name} says {run['rows']}, and not {expected[0]['rows']}")
                done[engine.name].append(run)
        for engine in engines:
            result = {"query": query, "threads": threads, "engine": engine.name, "idle_rss": idle[engine.name]}
            for figure in ["seconds", "process_seconds", "cpu_seconds", "rss"]:
                result[figure] = statistics.median(run[figure] for run in done[engine.name])
            yield result


def print_table(results, size):
    names = list(dict.fromkeys(result["engine"] for result in results))
    for threads in sorted({result["threads"] for result in results}):
        print(f"\n{threads} thread{'s' * (threads > 1)}\n")
        print("| query | engine | ms | MB/s | CPU ms | process ms | peak RSS, MiB | of it idle, MiB |")
        print("|---|---|---:|---:|---:|---:|---:|---:|")
        chosen = [result for result in results if result["threads"] == threads]
        for result in sorted(chosen, key=lambda r: (list(QUERIES).index(r["query"]), names.index(r["engine"]))):
            cells = [
                result["query"], result["engine"], f"{result['seconds'] * 1e3:.0f}",
                f"{size / 1e6 / result['seconds']:.0f}", f"{result['cpu_seconds'] * 1e3:.0f}",
                f"{result['process_seconds'] * 1e3:.0f}",
                f"{result['rss'] / 2**20:.0f}", f"{result['idle_rss'] / 2**20:.0f}",
            ]  # fmt: skip
            print("| " + " | ".join(cells) + " |")


def cpu_model():
    with open("/proc/cpuinfo") as info:
        return next(line.split(":")[1].strip() for line in info if line.startswith("model name"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default=os.environ.get("CSV_STREAM_BENCH_LINEITEM"))
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the peers")
    parser.add_argument("--csv-stream", default="target/release/csv-stream", help="this engine's command line")
    parser.add_argument("--runs", type=int, default=int(os.environ.get("CSV_STREAM_BENCH_RUNS", 5)))
    parser.add_argument("--queries", nargs="*", choices=QUERIES, default=list(QUERIES))
    parser.add_argument("--json", help="write the results to this file")
    parser.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--query", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args.child, args.query, args.file, args.threads)

    engines = [Engine(OURS, [args.csv_stream])]
    engines += [Engine(name, [args.python, os.path.abspath(__file__)]) for name in PEERS]
    with tempfile.TemporaryDirectory() as folder:
        path = args.file
        if path is None:
            path = os.path.join(folder, "lineitem.csv")
            generate(path)
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass  # Into the page cache: what is measured isn't the disk.
        size = os.path.getsize(path)
        versions = {engine.name: engine.run(IDLE, path, 1).get("version") for engine in engines[1:]}
        version = subprocess.run([args.csv_stream, "--version"], capture_output=True, text=True, check=True)
        versions[OURS] = version.stdout.split()[-1]
        print(f"lineitem: {size // 10**6} MB; medians of {args.runs} runs, in turn;", end=" ")
        print(", ".join(f"{name} {version}" for name, version in versions.items()))
        results = []
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            results += measure(engines, path, threads, args.runs, args.queries)
    print_table(results, size)
    if args.json:
        with open(args.json, "w") as out:
            report = {"date": str(datetime.date.today()), "cpu": cpu_model(), "file_bytes": size, "runs": args.runs}
            json.dump(report | {"versions": versions, "results": results}, out, indent=1)
            out.write("\n")


if __name__ == "__main__":
    main()
