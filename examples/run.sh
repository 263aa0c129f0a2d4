#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Installs what is missing, builds the examples and runs the gateway on real traffic.
# usage: sh examples/run.sh [--serve]      --serve keeps the gateway on 127.0.0.1:8080; all arguments go to the gateway's demo
set -u
cd "$(dirname "$0")/.." || exit 1
. cmake/ensure.sh
ensure build

log=build/demo.log
mkdir -p build
say "Building the examples ..."
if ! { cmake --preset demo && cmake --build build/demo --parallel "$(nproc)"; } >"$log" 2>&1; then
    cat "$log"
    die "The examples could not be built."
fi

if [ -x build/demo/examples/gateway_demo ]; then
    exec build/demo/examples/gateway_demo "$@"
fi

status=0
for source in examples/[0-9][0-9]_*.cpp; do
    [ -e "$source" ] || continue
    lesson=$(basename "$source" .cpp)
    heading "$lesson"
    "build/demo/examples/$lesson" || status=1
done
exit $status
