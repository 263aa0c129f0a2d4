#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Runs the fuzz targets one after the other, each from its seeds and with its dictionary. A fault ends the run; the input is kept.
# usage: sh tests/fuzz/run.sh [RUNS] [PROGRAM...]      RUNS: of each, 20000 if not said; programs that are built, else all are built here
set -u
here=$(cd "$(dirname "$0")" && pwd)
runs=${1:-20000}
[ $# -gt 0 ] && shift
case $runs in *[!0-9]* | '') echo "usage: sh tests/fuzz/run.sh [RUNS] [PROGRAM...]" >&2 && exit 2 ;; esac

# What is found is kept only where the programs were built here: there a later run goes on from it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
found=$work
if [ $# -eq 0 ]; then
    cd "$here/../.." || exit 1
    . cmake/ensure.sh
    ensure tests
    if [ -z "$clangxx" ]; then
        say "skipped: no clang++ from 16 on is here"
        exit 77
    fi
    log=$work/log
    if ! { cmake --preset fuzz && cmake --build --preset fuzz --parallel "$(nproc)"; } >"$log" 2>&1; then
        cat "$log"
        die "The fuzz targets could not be built."
    fi
    found=build/fuzz/corpus
    set -- build/fuzz/tests/fuzz/fuzz_*
    if [ ! -x "$1" ]; then
        say "skipped: this clang has no libFuzzer"
        exit 77
    fi
fi

failed=0
for program in "$@"; do
    name=$(basename "$program")
    name=${name#fuzz_}
    mkdir -p "$found/$name"
    start=$(date +%s)
    if "$program" "-runs=$runs" -seed=1 -max_len=1024 -timeout=10 -rss_limit_mb=3000 -print_final_stats=1 "-dict=$here/$name.dict" \
        "-artifact_prefix=fuzz-$name-" "$found/$name" "$here/corpus/$name" >"$work/output" 2>&1; then
        awk -v name="$name" -v seconds=$(($(date +%s) - start)) '
            / (cov|ft): / { for (i = 1; i < NF; i++) if ($i == "ft:") features = $(i + 1) }
            /number_of_executed_units/ { runs = $2 }
            END { printf "%-10s %9d runs in %4d s, %5d features, no fault\n", name, runs, seconds, features }' "$work/output"
    else
        cat "$work/output"
        echo "$name: a fault; its input is kept in $(pwd) as fuzz-$name-..."
        failed=1
    fi
done
exit $failed
