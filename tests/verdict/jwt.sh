#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Feeds the samples of tokens to the verdict program and compares. Usage: jwt.sh PROGRAM
# Exit status 77: the samples are not here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
samples=${WEIR_VECTORS:-$here/../../../shared/vectors}/samples
if [ ! -r "$samples/jwt.jsonl" ]; then
    echo "skipped: no samples at $samples/jwt.jsonl (set WEIR_VECTORS)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$@" "$samples/jwt_jwks.json" <"$samples/jwt.jsonl" >"$work/answers"

# One row a case: id, verdict.
sed -n 's/.*"id": *\([0-9]*\).*"expect": *"\([a-z]*\)".*/\1 \2/p' "$samples/jwt.jsonl" >"$work/wanted"
sed -n 's/.*"id": *\([0-9]*\).*"verdict": *"\([a-z]*\)".*/\1 \2/p' "$work/answers" >"$work/given"
paste -d ' ' "$work/wanted" "$work/given" | awk '
    { ++cases }
    $1 != $3 || ($2 != "either" && $2 != $4) || ($4 != "valid" && $4 != "invalid") {
        ++wrong
        print "case " $1 ": wanted " $2 ", got " $4
    }
    END { print cases + 0 " cases, " wrong + 0 " wrong"; exit !(cases > 0 && wrong == 0) }'
