#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# weir as its users get it: installed and found as a package, and as a subdirectory. Neither may look for what was not asked for.
# usage: sh tests/consumer/run.sh SOURCE WORK CMAKE COMPILER GENERATOR
set -u
source=$1 work=$2 cmake=$3 compiler=$4 generator=$5
rm -rf "$work"
mkdir -p "$work"

# step <title> <command...>: shows what the command said only if it failed.
step() {
    title=$1
    shift
    if ! "$@" >"$work/log" 2>&1; then
        echo "FAIL $title"
        cat "$work/log"
        exit 1
    fi
    echo "pass $title"
}

# refused <title> <text> <command...>: the command fails and says the text.
refused() {
    title=$1 text=$2
    shift 2
    if "$@" >"$work/log" 2>&1 || ! tr -s ' \n' '  ' <"$work/log" | grep -qF "$text"; then
        echo "FAIL $title: expected a refusal saying: $text"
        cat "$work/log"
        exit 1
    fi
    echo "pass $title"
}

configure() {
    "$cmake" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" "$@"
}

# Whoever asks for core and limit needs no OpenSSL: looking for it would fail here.
consumer() {
    configure -S "$source/tests/consumer" -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON "$@"
}

prefix=-DCMAKE_PREFIX_PATH=$work/prefix
step "configures without tests and examples" configure -S "$source" -B "$work/weir" -DWEIR_BUILD_TESTS=OFF -DWEIR_BUILD_EXAMPLES=OFF
step "installs" "$cmake" --install "$work/weir" --prefix "$work/prefix"
step "is found as a package" consumer -B "$work/package" "$prefix"
step "builds from the package" "$cmake" --build "$work/package"
step "runs from the package" "$work/package/consumer"
step "is added as a subdirectory" consumer -B "$work/subdirectory" -DWEIR_SOURCE_DIR="$source"
step "builds as a subdirectory" "$cmake" --build "$work/subdirectory"
step "runs as a subdirectory" "$work/subdirectory/consumer"
step "finds every component" configure -S "$source/tests/consumer" -B "$work/all" "$prefix" \
    "-DWEIR_COMPONENTS=core;limit;resilience;cache;validate;sign;asio;http;testing;weir"
refused "refuses an unknown component" "weir has no component 'levee'. It has: core, limit," \
    consumer -B "$work/unknown" "$prefix" "-DWEIR_COMPONENTS=core;levee"
refused "asks for OpenSSL only when sign is asked for" "OpenSSL" consumer -B "$work/sign" "$prefix" "-DWEIR_COMPONENTS=core;limit;sign"
