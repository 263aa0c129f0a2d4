#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Counts instructions a call of composed pipelines against the same behaviour written by hand, with callgrind: two runs of different
# length, so that what is not the loop cancels out. Fails if composed is over 1.20 times by hand, or if a call allocates.
# usage: sh benchmarks/pipeline.sh FOLDER-OF-BUILT-BENCHMARKS
set -u
program=${1:?the folder of the built benchmarks}/pipeline
command -v valgrind >/dev/null || { echo "valgrind is not here: nothing counted" >&2; exit 1; }

# instructions <what> <calls>
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
per_call() { echo $((($(instructions "$1" 12000) - $(instructions "$1" 2000)) / 10000)); }

status=0
for kind in '' _async; do
    hand=$(per_call by_hand$kind)
    mine=$(per_call composed$kind)
    awk -v kind="${kind:-_sync}" -v hand="$hand" -v mine="$mine" \
        'BEGIN { printf "%-7s by hand %d, composed %d instructions a call: %.3f x (bar 1.20)\n", substr(kind, 2), hand, mine, mine / hand }'
    [ $((mine * 100)) -le $((hand * 120)) ] || { echo "over 1.20: composed$kind" >&2; status=1; }
    "$program" composed$kind 100000 || { echo "composed$kind allocates" >&2; status=1; }
done
exit $status
