#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Has the verdict program judge its answers to the rate-limit samples. Usage: ratelimit.sh PROGRAM
# WEIR_VECTORS is the folder of vectors. Exit status 77: the samples are not here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
samples=${WEIR_VECTORS:-$here/../../../shared/vectors}/samples/ratelimit.jsonl
if [ ! -r "$samples" ]; then
    echo "skipped: no samples at $samples (set WEIR_VECTORS)"
    exit 77
fi
"${1:?the verdict program}" --judge <"$samples"
