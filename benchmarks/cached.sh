#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Counts instructions of a hit through a pipeline of `cached` against `store::find` written by hand, with callgrind: two runs of different
# length, so that what is not the call cancels out. Fails if the pipeline adds more than 150 instructions.
# usage: sh benchmarks/cached.sh FOLDER-OF-BUILT-BENCHMARKS
set -u
program=${1:?the folder of the built benchmarks}/cached
command -v valgrind >/dev/null || { echo "valgrind is not here: nothing counted" >&2; exit 1; }

# instructions <way> <calls>
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
# per_call <way>: in hundredths
per_call() {
    short=$(instructions "$1" 10000)
    long=$(instructions "$1" 110000)
    echo $(((long - short) / 1000))
}

status=0
for kind in numbers strings later; do
    mine=$(per_call composed_$kind)
    hand=$(per_call by_hand_$kind)
    awk -v name="$kind" -v mine="$mine" -v hand="$hand" \
        'BEGIN { printf "%-8s a hit: %7.2f instructions, by hand %7.2f: %6.2f more, %.3f x\n", name, mine / 100, hand / 100, (mine - hand) / 100, mine / hand }'
    [ $((mine - hand)) -le 15000 ] || { echo "over 150 more: $kind" >&2; status=1; }
done
exit $status
