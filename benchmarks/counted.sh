#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Counts instructions a call with callgrind, each way beside another of the same program: two runs of different length, so that what is not
# the loop cancels out. Fails if a way is over its bar, or if one that may not allocate does.
# usage: sh benchmarks/counted.sh FOLDER-OF-BUILT-BENCHMARKS [NAME...]      names of programs: those only
#        sh benchmarks/counted.sh --names                                   the programs that are counted
set -u

# A program is called as `program WAY CALLS`. The bar is `times` what stands beside, or so many instructions `more`; `-` is none.
# With `nothing` under `allocates` the program itself says by its exit status whether the way allocates. Calls that are long are counted
# less often: `rounds` is the length of the short run, a tenth of what is between the two.
table() {
    cat <<'END'
# program  way                  beside            bar         allocates  rounds
pipeline   composed             by_hand           1.20 times  nothing    10000
pipeline   composed_async       by_hand_async     1.20 times  nothing    10000
limit      gcra-shared          bare-shared       1.05 times  -          10000
limit      token_bucket-shared  bare-shared       -    -      -          10000
limit      gcra-confined        bare-confined     1.05 times  -          10000
limit      token_bucket-confined bare-confined    -    -      -          10000
limit      leaky_bucket         bare_leaky_bucket 1.10 times  -          10000
limit      exact_gcra-shared    bare-shared       -    -      -          10000
limit      fixed_window-shared  bare_fixed_window-shared 1.40 times - 10000
limit      fixed_window-confined bare_fixed_window-confined - - - 10000
limit      sliding_window-shared bare_sliding_window-shared 1.60 times - 10000
limit      sliding_window-confined bare_sliding_window-confined - - - 10000
limit      sliding_log          bare_sliding_log  -    -      -          10000
limit      warm_up              bare_warm_up      -    -      -          10000
cached     composed_numbers     by_hand_numbers   1.50 times  nothing    10000
cached     composed_strings     by_hand_strings   1.50 times  nothing    10000
cached     composed_later       by_hand_later     1.50 times  nothing    10000
tsc_clock  gcra                 bare              1.10 times  -          10000
any_pipeline erased             direct            1.10 times  nothing    10000
any_pipeline erased_later       direct_later      1.10 times  nothing    10000
pending    able                 locally           1.05 times  nothing    10000
pending    asks                 locally           350  more   nothing    10000
repeats    retried              retried_by_hand   60   more   -          10000
repeats    hedged               hedged_by_hand    1.15 times  -          1000
concurrency limit            by_hand       70   more   -          10000
concurrency bulkhead         by_hand       70   more   -          10000
concurrency adaptive         by_hand       140  more   -          10000
json_body  composed             by_hand           1.10 times  -          500
json_body  read                 read_by_hand      1.10 times  -          500
json_body  read                 document          -    -      -          500
validate   rules                rules_by_hand     2.50 times  -          500
validate   pattern              pattern_by_hand   3.00 times  -          1000
validate   pattern              regex             -    -      -          1000
validate   limits               document          1.00 times  -          500
END
}
rows() { table | grep -v '^#'; }

if [ "${1-}" = --names ]; then
    rows | cut -d ' ' -f 1 | uniq
    exit 0
fi
folder=${1:?the folder of the built benchmarks}
shift
command -v valgrind >/dev/null || { echo "valgrind is not here: nothing counted" >&2; exit 1; }

# instructions <program> <way> <calls>
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$folder/$1" "$2" "$3" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
# per_call <program> <way> <rounds>: in hundredths
per_call() {
    short=$(instructions "$1" "$2" "$3")
    long=$(instructions "$1" "$2" $(($3 * 11)))
    [ -n "$short" ] && [ -n "$long" ] && echo $(((long - short) * 10 / $3))
}

wanted=" $* "
failed=0
fail() {
    echo "$*" >&2
    failed=1
}
counted() {
    while read -r program way beside bar unit allocates rounds; do
        case $wanted in '  ' | *" $program "*) ;; *) continue ;; esac
        if ! { mine=$(per_call "$program" "$way" "$rounds") && other=$(per_call "$program" "$beside" "$rounds"); }; then
            fail "$program: $way or $beside does not run"
            continue
        fi
        awk -v way="$way" -v beside="$beside" -v mine="$mine" -v other="$other" -v bar="$bar" -v unit="$unit" 'BEGIN {
            printf "%-24s %8.2f instructions a call, %s %8.2f: %.3f x, %.2f more", way, mine / 100, beside, other / 100, mine / other, (mine - other) / 100
            print bar == "-" ? "" : " (bar " bar " " unit ")"
            exit !(bar == "-" || (unit == "times" ? mine <= bar * other : mine - other <= 100 * bar))
        }' || fail "over $bar $unit: $program $way"
        [ "$allocates" != nothing ] || "$folder/$program" "$way" 100000 >/dev/null || fail "$program $way allocates"
    done
}
# No pipe: what the loop says of failures has to be seen here.
counted <<END
$(rows)
END
exit $failed
