#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# What is not used leaves no code: the synchronous pipeline of synchronous.cpp has the same code to the byte, whether its file includes
# nothing more, observes the same pipeline elsewhere, or runs another one that asks elsewhere; unobserved it contains nothing of events.
# usage: sh tests/code/run.sh COMPILER [FLAG...]
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
    echo "usage: sh tests/code/run.sh COMPILER [FLAG...]" >&2
    exit 2
fi
for tool in objdump nm; do
    command -v $tool >/dev/null || { echo "$tool is not here: nothing compared"; exit 77; }
done
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# g++ inlines a function of the standard library sooner if it believes that this call is the only one of the program: not here.
case $("$1" --version) in *clang*) ;; *) set -- "$@" --param comdat-sharing-probability=100 ;; esac

failed=0
fail() {
    echo "FAIL $*"
    failed=1
}
compiled() {
    name=$1
    shift
    "$@" -std=c++20 -O2 -DNDEBUG -ffunction-sections -c "$here/synchronous.cpp" -o "$scratch/$name.o" || exit 1
}
# The code of the functions that the plain pipeline runs in, or of the observed one: bytes, and what they refer to. A constant's own name is
# its number in the file, no matter which.
code() {
    objdump -dr "$scratch/$1.o" | awk -v which="$2" '
        /^Disassembly of section / {
            observed = /observed|counting/
            wanted = /price_of|drive_blocking/ && !/GLOBAL__sub/ && (which == "observed" ? observed : !observed)
        }
        wanted && NF' | sed 's/ <.*>$//; s/\.L[A-Za-z]*[0-9]*/constant/; s/\.rodata[^ ]*/constant/'
}

compiled plain "$@"
compiled observed "$@" -DWITH_OBSERVER
compiled pending "$@" -DWITH_PENDING
for name in plain observed pending; do code $name plain >"$scratch/$name.code"; done
code observed observed >"$scratch/events.code"

lines=$(wc -l <"$scratch/plain.code")
[ "$lines" -gt 50 ] || fail "the code of price_of was not found"
[ "$(wc -l <"$scratch/events.code")" -gt 50 ] || fail "the code of the observed pipeline was not found"
cmp -s "$scratch/plain.code" "$scratch/events.code" && fail "the observed pipeline has the code of the plain one: nothing was compared"
for name in observed pending; do
    if cmp -s "$scratch/plain.code" "$scratch/$name.code"; then
        echo "pass the same code beside what is $name"
    else
        fail "other code beside what is $name"
        diff "$scratch/plain.code" "$scratch/$name.code" | head -n 20
    fi
done
nm -C "$scratch/observed.o" | grep -q 'counting' || fail "no symbol of the observed pipeline"
if nm -C "$scratch/plain.o" | grep -E 'event::|where_is|observed<|counting'; then
    fail "the plain pipeline has symbols of events"
else
    echo "pass no symbol of events without an observer"
fi
exit $failed
