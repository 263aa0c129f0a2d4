#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# weir as its users get it: installed and found as a package, as a subdirectory, fetched from a repository, by pkg-config, and as vcpkg
# reads it. None may look for what was not asked for.
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

skip() { echo "SKIPPED $1"; }

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
    "-DWEIR_COMPONENTS=core;limit;resilience;cache;validate;sign;asio;http;tls;testing;weir"
refused "refuses an unknown component" "weir has no component 'levee'. It has: core, limit," \
    consumer -B "$work/unknown" "$prefix" "-DWEIR_COMPONENTS=core;levee"
refused "asks for OpenSSL only when sign is asked for" "OpenSSL" consumer -B "$work/sign" "$prefix" "-DWEIR_COMPONENTS=core;limit;sign"

# Whoever comes with too little is told what is needed, before anything else.
old=$work/old/boost
mkdir -p "$old"
echo '#define BOOST_VERSION 107400' >"$old/version.hpp"
refused "tells an old Boost" "weir needs Boost 1.81 or newer" \
    "$compiler" -std=c++20 -fsyntax-only -isystem "$work/old" -I"$source/include" "$source/tests/consumer/consumer.cpp"
refused "tells an older C++" "weir needs C++20: compile with -std=c++20" \
    "$compiler" -std=c++17 -fsyntax-only -I"$source/include" "$source/tests/consumer/consumer.cpp"

# What a user fetches is a commit with a tag; here it is one of what lies in the folder now.
if command -v git >/dev/null; then
    origin=$work/origin
    mkdir -p "$origin"
    cp -r "$source/CMakeLists.txt" "$source/cmake" "$source/include" "$origin"
    git_there() { git -C "$origin" -c init.defaultBranch=main -c user.name=weir -c user.email=weir@localhost -c commit.gpgsign=false "$@"; }
    commit_all() { git_there init -q && git_there add -A && git_there commit -qm "weir" && git_there tag v0; }
    step "a repository to fetch from" commit_all
    step "is fetched by FetchContent" consumer -B "$work/fetched" "-DWEIR_REPOSITORY=file://$origin" -DWEIR_TAG=v0
    step "builds when fetched" "$cmake" --build "$work/fetched"
    step "runs when fetched" "$work/fetched/consumer"
else
    skip "FetchContent: git is not here"
fi

if command -v pkg-config >/dev/null; then
    PKG_CONFIG_PATH=$work/prefix/share/pkgconfig
    export PKG_CONFIG_PATH
    version=$("$work/package/consumer" | cut -d ' ' -f 2)
    # with_pkg_config <module> <file>: compiled as a Makefile would do it.
    # shellcheck disable=SC2046
    with_pkg_config() {
        flags=$(pkg-config --cflags --libs "$1") || return 1
        # shellcheck disable=SC2086
        "$compiler" -std=c++20 "$source/tests/consumer/$2" -o "$work/by_pkg_config" $flags && "$work/by_pkg_config"
    }
    step "pkg-config knows this very version" pkg-config --print-errors "weir = $version"
    step "compiles and runs with pkg-config weir-limit" with_pkg_config weir-limit consumer.cpp
    step "compiles, links and runs with pkg-config weir" with_pkg_config weir umbrella.cpp
    asks_for_openssl() { pkg-config --print-requires "$1" | grep -q libcrypto; }
    only_sign_asks() { asks_for_openssl weir-sign && ! asks_for_openssl weir-core && ! asks_for_openssl weir-limit; }
    step "pkg-config asks for OpenSSL only where it is needed" only_sign_asks
    mv "$work/prefix" "$work/moved"
    PKG_CONFIG_PATH=$work/moved/share/pkgconfig
    step "pkg-config finds a tree that was moved" with_pkg_config weir-limit consumer.cpp
    mv "$work/moved" "$work/prefix"
else
    skip "pkg-config: it is not here"
fi

step "vcpkg.json is right" "$cmake" -DSOURCE="$source" -P "$source/tests/consumer/vcpkg.cmake"
