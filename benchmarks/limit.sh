#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Counts instructions a call of gcra and token_bucket against the bare compare-and-swap loop, with callgrind: two runs of different
# length, so that what is not the loop cancels out. Fails if gcra is over 1.05 times the loop.
# usage: sh benchmarks/limit.sh FOLDER-OF-BUILT-BENCHMARKS
set -u
program=${1:?the folder of the built benchmarks}/limit
command -v valgrind >/dev/null || { echo "valgrind is not here: nothing counted" >&2; exit 1; }

# instructions <loop> <rounds>
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
# per_call <loop>: in hundredths
per_call() {
    short=$(instructions "$1" 10000)
    long=$(instructions "$1" 110000)
    echo $(((long - short) / 1000))
}
show() {
    awk -v name="$1" -v mine="$2" -v bare="$3" 'BEGIN { printf "%-24s %6.2f instructions a call, %.3f x the bare loop\n", name, mine / 100, mine / bare }'
}

status=0
for model in shared confined; do
    bare=$(per_call bare-$model)
    show bare-$model "$bare" "$bare"
    for name in gcra token_bucket; do
        mine=$(per_call $name-$model)
        show $name-$model "$mine" "$bare"
        [ $((mine * 100)) -le $((bare * 105)) ] || { echo "over 1.05: $name-$model" >&2; status=1; }
    done
done
exit $status
