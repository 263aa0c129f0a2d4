#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Installs what is missing, builds the benchmarks with -O2 and runs each; counts the instructions of those that counted.sh names; then
# the cost of including each header.
# usage: sh benchmarks/run.sh [clang] [NAME...]      clang: built with clang; names: those only, as in `sh benchmarks/run.sh gcra`
set -u
cd "$(dirname "$0")/.." || exit 1
. cmake/ensure.sh
ensure benchmarks

build=build/bench
if [ "${1-}" = clang ]; then
    [ -n "$clangxx" ] || die "No clang++ from 16 on is here."
    shift
    build=build/bench-clang
    toolchain=--toolchain=cmake/clang.cmake
fi

log=$build.log
mkdir -p build
say "Building the benchmarks ..."
if ! { cmake --preset bench -B "$build" ${toolchain:+"$toolchain"} && cmake --build "$build" --parallel "$(nproc)"; } >"$log" 2>&1; then
    cat "$log"
    die "The benchmarks could not be built."
fi

# wanted <name> <names...>: no names mean all.
wanted() {
    name=$1
    shift
    [ $# -eq 0 ] && return 0
    for each in "$@"; do
        [ "$each" = "$name" ] && return 0
    done
    return 1
}

failures=
for source in benchmarks/*.cpp; do
    name=$(basename "$source" .cpp)
    [ -e "$source" ] && wanted "$name" "$@" || continue
    heading "$name"
    "$build/benchmarks/$name" || failures="$failures $name"
done
for name in $(sh benchmarks/counted.sh --names); do
    wanted "$name" "$@" || continue
    heading "$name, counted"
    sh benchmarks/counted.sh "$build/benchmarks" "$name" || failures="$failures $name"
done
if wanted including "$@"; then
    heading "including"
    sh benchmarks/including/run.sh || failures="$failures including"
fi

say ""
if [ -n "$failures" ]; then
    die "Failed or over a bar:$failures"
fi
say "All benchmarks ran."
