#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Each block of C++ in README.md compiles as it stands there, without a warning; one below the line `<!-- FILE -->` is that file.
# usage: sh tests/readme/run.sh COMPILER [FLAG...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v work="$work" '
    /^<!-- .* -->$/ { same = $2; next }
    /^```cpp$/ { inside = 1; file = work "/block" ++blocks ".cpp"; if (same) print same > (file ".same"); same = ""; next }
    /^```$/    { inside = 0; next }
    inside     { print > file }
' "$here/../../README.md"
passed=0 failed=0
for block in "$work"/block*.cpp; do
    if [ -e "$block.same" ] && ! diff "$block" "$here/../../$(cat "$block.same")"; then
        echo "FAIL ${block##*/} of README.md is not $(cat "$block.same")"
        failed=$((failed + 1))
        continue
    fi
    if "$@" -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror "$block"; then
        passed=$((passed + 1))
    else
        echo "FAIL ${block##*/} of README.md"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -ge 2 ]
