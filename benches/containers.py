#!/usr/bin/env python3
"""What a query needs: the command line and the peers in groups of processes whose memory the kernel limits.

    python3 benches/containers.py --python venv/bin/python           # root, and a memory cgroup, version 1 or 2

Each engine sums a column of each file, in a process of its own that has no more memory than the limit, page cache
included, and no swap. It prints the median time of some runs, in turn with those under the other limits, or how a process
ended. The files are lineitem ($CSV_STREAM_BENCH_LINEITEM,
or some 100 MB like it), the same compressed with gzip, and one with fields of 10 KB.
"""

import argparse
import gzip
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import peers

QUERIES = {
    "lineitem": "SELECT sum(l_quantity) AS s FROM {table}",
    "lineitem, gzip": "SELECT sum(l_quantity) AS s FROM {table}",
    "10 KB fields": "SELECT sum(id) AS s, max(length(text)) AS m FROM {table}",
}

LIMITS_MB = [0, 128, 32, 24]

WIDE_ROWS = 20_000


# ---- What runs in a peer's process.


def duckdb(sql, path):
    import duckdb

    duckdb.sql(sql.format(table=f"read_csv('{path}')")).fetchall()


def polars(sql, path):
    import polars

    context = polars.SQLContext(t=polars.scan_csv(path))
    context.execute(sql.format(table="t")).collect(engine="streaming").rows()


def datafusion(sql, path):
    import datafusion

    context = datafusion.SessionContext()
    gz = {"file_compression_type": "gzip", "file_extension": ".csv.gz"} if path.endswith(".gz") else {}
    context.register_csv("t", path, **gz)
    context.sql(sql.format(table="t")).collect()


PEERS = {"DataFusion": datafusion, "DuckDB": duckdb, "Polars": polars}


class Group:
    """A memory cgroup, where there is one that can be written."""

    def __init__(self, limit):
        is_v2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.folder = os.path.join("/sys/fs/cgroup" if is_v2 else "/sys/fs/cgroup/memory", f"csv-{os.getpid()}")
        os.mkdir(self.folder)
        self.write("memory.swap.max" if is_v2 else "memory.swappiness", 0)
        self.write("memory.max" if is_v2 else "memory.limit_in_bytes", limit)

    def write(self, name, value):
        if os.path.exists(os.path.join(self.folder, name)):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(str(value))

    def join(self):
        self.write("cgroup.procs", os.getpid())

    def remove(self):
        for _ in range(100):
            try:
                return os.rmdir(self.folder)
            except OSError:
                time.sleep(0.02)  # The last process is still being buried.


def run(command, limit_mb):
    """Seconds, or how it ended."""
    group = Group(limit_mb * 10**6) if limit_mb else None
    try:
        started = time.perf_counter()
        process = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, preexec_fn=group.join if group else None
        )
        elapsed = time.perf_counter() - started
    finally:
        if group:
            group.remove()
    if process.returncode == -signal.SIGKILL:
        return "killed"
    return elapsed if process.returncode == 0 else "error"


def cell(runs):
    """The median, or how the first one ended that failed."""
    failed = [run for run in runs if isinstance(run, str)]
    return failed[0] if failed else f"{statistics.median(runs):.2f} s"


def wide(path):
    text = "".join(f"{number:014}, " for number in range(640))
    with open(path, "w") as out:
        out.write("id,text\n")
        for row in range(WIDE_ROWS):
            out.write(f'{row},"{text}"\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default=os.environ.get("CSV_STREAM_BENCH_LINEITEM"))
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the peers")
    parser.add_argument("--csv-stream", default="target/release/csv-stream", help="this engine's command line")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limits", type=int, nargs="*", default=LIMITS_MB, help="MB; 0 for none")
    parser.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--sql", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return PEERS[args.child](args.sql, args.file)

    with tempfile.TemporaryDirectory() as folder:
        lineitem = args.file
        if lineitem is None:
            lineitem = os.path.join(folder, "lineitem.csv")
            peers.generate(lineitem)
        files = {"lineitem": lineitem, "lineitem, gzip": f"{folder}/lineitem.csv.gz", "10 KB fields": f"{folder}/wide.csv"}
        with open(lineitem, "rb") as plain, gzip.open(files["lineitem, gzip"], "wb", compresslevel=1) as packed:
            shutil.copyfileobj(plain, packed)
        wide(files["10 KB fields"])
        print("| file | engine | " + " | ".join(f"{mb} MB" if mb else "no limit" for mb in args.limits) + " |")
        print("|---|---|" + "---:|" * len(args.limits))
        for name, sql in QUERIES.items():
            path = files[name]
            for engine in [peers.OURS, *PEERS]:
                command = [args.python, os.path.abspath(__file__), path, "--child", engine, "--sql", sql]
                if engine == peers.OURS:
                    command = [args.csv_stream, "query", sql.format(table=f"'{path}'"), "--format", "csv"]
                # Once before, so that no process is charged for another one's page cache or pays for the disk.
                run(command, 0)
                rounds = [[run(command, limit) for limit in args.limits] for _ in range(args.runs)]
                cells = [cell(runs) for runs in zip(*rounds)]
                print(f"| {name} ({os.path.getsize(path) // 10**6} MB) | {engine} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
