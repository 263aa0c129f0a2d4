#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Judges Wycheproof's signatures, the examples of the RFCs and JSONTestSuite. Usage: jws.sh PROGRAM
# Exit status 77: the files are not here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
vectors=${WEIR_VECTORS:-$here/../../../shared/vectors}
status=77
# judged <kind> <folder>
judged() {
    if [ ! -d "$vectors/$2" ]; then
        echo "skipped: no files in $vectors/$2 (set WEIR_VECTORS)"
        return
    fi
    echo "$2:"
    if find "$vectors/$2" -name '*.json' -exec "$program" "$1" {} +; then
        if [ "$status" -eq 77 ]; then status=0; fi
    else
        status=1
    fi
}
program=$1
judged wycheproof wycheproof
judged cookbook jose-cookbook
judged json json-test-suite
exit "$status"
