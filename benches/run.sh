#!/usr/bin/env bash
# Runs every benchmark, and writes benches/results/<date>-<cpu>.{md,json,svg}.
#
#   benches/run.sh                                     on a file of some 100 MB that is generated
#   CSV_STREAM_BENCH_LINEITEM=lineitem.csv benches/run.sh      on TPC-H's lineitem
#
# Takes half an hour at scale factor 1, and as long again to build. Peers come from PyPI into a virtual environment;
# CSV_STREAM_BENCH_VENV names one that is there.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
venv=${CSV_STREAM_BENCH_VENV:-$target/bench-venv}
cpu=$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1)
slug=$(tr -s ' ()@.' '-' <<<"${cpu,,}" | sed 's/-\(r\|tm\|cpu\|processor\)\b//g; s/-*$//')
out=benches/results/${CSV_STREAM_BENCH_DATE:-$(date +%F)}-$slug
mkdir -p benches/results

if [[ ! -x $venv/bin/python ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet duckdb polars pyarrow datafusion==55.0.0
fi

# What has been built is linked to, so that who builds meanwhile doesn't change what is measured.
bin=$(mktemp -d "$target/bench-run.XXXXXX")
trap 'rm -r "$bin"' EXIT
cargo bench --all-features --no-run --bench scan --bench remote --bench approaches --bench parse --bench count --bench decode 2>&1 | tee "$bin/log"
sed -n 's/^ *Executable benches\/\(.*\)\.rs (\(.*\))$/\1 \2/p' "$bin/log" | while read -r name path; do
    ln "$path" "$bin/$name"
done
ln "$target/release/csv-stream" "$bin/csv-stream"

{
    echo "# Results of ${out##*/}"
    echo
    echo "What each figure means, and how to repeat it: [README](../README.md). Written by \`benches/run.sh\`."
    echo
    echo "- $cpu, $(nproc) cores, $(free -g | awk '/^Mem:/ { print $2 }') GiB; $(uname -sr)"
    echo "- $(rustc --version); commit $(git rev-parse --short HEAD)"
    echo "- $(cargo tree --quiet --all-features --depth 1 --prefix none -e normal |
        grep -E '^(arrow|datafusion|object_store) ' | sed 's/ (.*//' | paste -sd, | sed 's/,/, /g')"
    printf '\n## SQL, beside the built-in reader\n\n'
    "$bin/scan" --bench
    printf '\n## A slow HTTP store\n\n'
    CSV_STREAM_BENCH_PYTHON=$venv/bin/python "$bin/remote" --bench
    printf '\n## Five designs for one job\n\n'
    "$bin/approaches" --bench
    printf '\n## Peers\n\n'
    "$venv/bin/python" benches/peers.py --csv-stream "$bin/csv-stream" --json "$out.json"
    printf '\n## Splitting fields, counting records, and decoding, on one core\n\n'
    { "$bin/parse" --bench && "$bin/count" --bench && "$bin/decode" --bench; } >&2
    python3 benches/ratios.py
} | tee "$out.md"
python3 benches/plot.py "$out.json" "$out.svg"
