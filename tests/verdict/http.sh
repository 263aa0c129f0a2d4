#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Feeds the samples of HTTP streams to the verdict program and compares. Usage: http.sh PROGRAM [more arguments for it]
# Exit status 77: the samples are not here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
samples=${WEIR_VECTORS:-$here/../../../shared/vectors}/samples/http.jsonl
if [ ! -r "$samples" ]; then
    echo "skipped: no samples at $samples (set WEIR_VECTORS)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$@" <"$samples" >"$work/answers"

# One row a case: id, verdict, number of complete requests.
sed -n 's/.*"id": *\([0-9]*\).*"server_verdict": *"\([a-z]*\)".*"server_n_ok": *\([0-9]*\).*/\1 \2 \3/p' "$samples" >"$work/wanted"
sed -n 's/.*"id": *\([0-9]*\).*"verdict": *"\([a-z]*\)".*"n": *\([0-9]*\).*/\1 \2 \3/p' "$work/answers" >"$work/given"
paste -d ' ' "$work/wanted" "$work/given" | awk '
    { ++cases }
    $1 != $4 || ($2 != "either" && ($2 != $5 || $3 != $6)) || ($2 == "either" && $5 != "accept" && $5 != "reject") {
        ++wrong
        print "case " $1 ": wanted " $2 " " $3 ", got " $5 " " $6
    }
    END { print cases + 0 " cases, " wrong + 0 " wrong"; exit !(cases > 0 && wrong == 0) }'
