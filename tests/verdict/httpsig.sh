#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Feeds the samples of signed messages to the verdict program and compares verdicts and, byte for byte, signature bases.
# Usage: httpsig.sh PROGRAM [more arguments for it]
# Exit status 77: the samples are not here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
samples=${WEIR_VECTORS:-$here/../../../shared/vectors}/samples/httpsig.jsonl
keys=${samples%.jsonl}_keys.json
if [ ! -r "$samples" ] || [ ! -r "$keys" ]; then
    echo "skipped: no samples at $samples (set WEIR_VECTORS)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$@" "$keys" <"$samples" >"$work/answers"

# One row a case: id, verdict, base as the JSON text that it is on both sides.
rows() { sed -n 's/^{"id": *\([0-9]*\).*"'"$1"'": *"\([a-z]*\)".*/\1 \2/p' "$2"; }
bases() { sed 's/.*"base": *\("\([^"\\]\|\\.\)*"\).*/\1/; /^{/s/.*/-/' "$1"; }
rows expect "$samples" >"$work/wanted"
rows verdict "$work/answers" >"$work/given"
bases "$samples" >"$work/wanted_bases"
bases "$work/answers" >"$work/given_bases"
paste -d '\t' "$work/wanted" "$work/given" "$work/wanted_bases" "$work/given_bases" | awk -F '\t' '
    { ++cases; split($1, wanted, " ") }
    wanted[2] == "either" ? $2 !~ / (in)?valid$/ : $1 != $2 || (wanted[2] == "valid" && $3 != "-" && $3 != $4) {
        ++wrong
        print "case " $1 ": got " $2 ($3 == $4 ? "" : "\n  wanted " $3 "\n  got    " $4)
    }
    END { print cases + 0 " cases, " wrong + 0 " wrong"; exit !(cases > 0 && wrong == 0) }'
