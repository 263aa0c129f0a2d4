#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Each .cpp file beside this script must not compile, and the first error must contain what its first line expects:
#     // expect: <message>
#     // expect-clang: <message>      (second line, where clang words it differently)
# White space does not count. A file that names WEIR_MENDED must compile once that is defined, so that nothing else is wrong with it.
# usage: sh tests/compile_fail/run.sh COMPILER [FLAG...]      FILES="a.cpp b.cpp" tries these only
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1-}" = --one ]; then
    file=$2
    shift 2
    name=${file##*/}
    set -- "$@" -std=c++20 -fsyntax-only -fdiagnostics-color=never -fmessage-length=0
    expected=$(sed -n '1s|^// expect: *||p' "$file")
    case $("$1" --version) in *clang*)
        other=$(sed -n '2s|^// expect-clang: *||p' "$file")
        expected=${other:-$expected} ;;
    esac
    if [ -z "$expected" ]; then
        echo "FAIL $name: its first line has to be '// expect: <message>'"
        exit 0
    fi
    if output=$("$@" "$file" 2>&1); then
        echo "FAIL $name: it compiles"
        exit 0
    fi
    first=$(printf '%s\n' "$output" | grep -m 1 ' error: ')
    if ! printf '%s\n%s\n' "$first" "$expected" | awk '{ gsub(/[ \t\r]/, ""); line[NR] = $0 } END { exit !index(line[1], line[2]) }'; then
        printf 'FAIL %s\n  expected: %s\n  got:      %s\n' "$name" "$expected" "$first"
        exit 0
    fi
    if grep -q WEIR_MENDED "$file" && ! output=$("$@" -DWEIR_MENDED "$file" 2>&1); then
        printf 'FAIL %s: mended, it still does not compile\n  %s\n' "$name" "$(printf '%s\n' "$output" | grep -m 1 ' error: ')"
        exit 0
    fi
    echo "pass $name"
    exit 0
fi

if [ $# -eq 0 ]; then
    echo "usage: sh tests/compile_fail/run.sh COMPILER [FLAG...]" >&2
    exit 2
fi
files=${FILES:-$(ls "$here"/*.cpp 2>/dev/null)}
if [ -z "$files" ]; then
    echo "0 passed, 0 failed"
    exit 77
fi
# One shell a file, as many at once as there are processors; each prints its verdict in one piece.
verdicts=$(printf '%s\n' $files | xargs -P "$(nproc)" -I '{}' sh -c 'verdict=$(sh "$@"); printf "%s\n" "$verdict"' sh "$0" --one '{}' "$@")
printf '%s\n' "$verdicts"
passed=$(printf '%s\n' "$verdicts" | grep -c '^pass ')
failed=$(($(printf '%s\n' $files | wc -l) - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
