#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The compilers and the versions of Boost that weir is for: every public header, weir::compiled and the examples' sources compile without
# a warning (nothing is linked or run) with g++ and the newest clang++, each with the Boost of this system; and with Boost 1.83 and
# 1.88, whose headers are unpacked from Debian's packages into build/matrix, not installed. A newer clang++ than the installed one is
# unpacked in the same way. What cannot be had is SKIPPED by its name. The examples are left out where tests/run.sh builds them with that compiler
# anyway, and with clang++ for the other versions of Boost: g++ shows those.
# usage: sh tests/matrix.sh
set -u
cd "$(dirname "$0")/.." || exit 1
. cmake/ensure.sh
ensure tests

work=$PWD/build/matrix
mkdir -p "$work"
passed=0 failed=0 skipped=0
skip() {
    say "SKIPPED $1"
    skipped=$((skipped + 1))
}

# Debian's suites that a package may come from besides this system's own: the lists of these are kept apart.
other_suites="trixie"
codename=$(os_field VERSION_CODENAME)
# apt_for <suite>: apt-get with the sources of this machine, for that suite.
apt_for() {
    suite=$1
    shift
    set -- -q -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" "$@"
    if [ "$suite" != "$codename" ]; then
        set -- -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/$suite/sources" -o Dir::State::lists="$work/$suite/lists" \
            -o Dir::Cache="$work/$suite/cache" "$@"
    fi
    apt-get "$@"
}
# lists_of <suite>: makes them, once.
lists_of() {
    [ "$1" = "$codename" ] && return 0
    [ "$(os_field ID)" = debian ] || return 1
    [ -d "$work/$1/lists" ] && return 0
    mkdir -p "$work/$1/sources" "$work/$1/lists/partial" "$work/$1/cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
        [ -s "$file" ] && sed "s/$codename/$1/g" "$file" >"$work/$1/sources/$(basename "$file")"
    done
    [ ! -e "$work/$1/sources/sources.list" ] || mv "$work/$1/sources/sources.list" "$work/$1/sources/debian.list"
    apt_for "$1" update >"$work/$1/log" 2>&1 || { rm -rf "${work:?}/$1/lists"; return 1; }
}
# unpack <package> <folder>: its files, into the folder; nothing is installed.
unpack() {
    [ -d "$2" ] && return 0
    have apt-get && have dpkg-deb || return 1
    for suite in "$codename" $other_suites; do
        rm -rf "$work/got"
        mkdir -p "$work/got"
        if lists_of "$suite" && (cd "$work/got" && apt_for "$suite" download "$1") >"$work/log" 2>&1; then
            mkdir -p "$2" && dpkg-deb -x "$work/got/$1"_*.deb "$2" && return 0
            rm -rf "$2"
        fi
    done
    return 1
}

# The newest clang++ that apt offers, with what it needs, if it is newer than the one that is here: $newest_clang, $newest_libraries.
find_newest_clang() {
    newest_clang=$clangxx newest_libraries=
    have apt-cache && have dpkg-deb || return 0
    for version in $clang_versions; do
        [ -n "$clangxx" ] && [ "$("$clangxx" -dumpversion | cut -d. -f1)" -ge "$version" ] && return 0
        apt-cache show "clang-$version" >/dev/null 2>&1 || continue
        folder=$work/clang-$version
        if [ ! -d "$folder" ]; then
            archives=$work/archives
            rm -rf "$archives"
            mkdir -p "$archives/partial"
            apt_for "$codename" install -y --no-install-recommends --download-only -o Dir::Cache::archives="$archives" "clang-$version" \
                >"$work/log" 2>&1 || continue
            mkdir -p "$folder"
            for package in "$archives"/*.deb; do dpkg-deb -x "$package" "$folder" || return 0; done
            rm -rf "$archives"
        fi
        newest_clang=$folder/usr/lib/llvm-$version/bin/clang++
        newest_libraries=$folder/usr/lib/llvm-$version/lib:$(echo "$folder"/usr/lib/*-linux-gnu)
        LD_LIBRARY_PATH=$newest_libraries "$newest_clang" --version >/dev/null 2>&1 && return 0
        newest_clang=$clangxx newest_libraries=
    done
}

(cd include && find weir -name '*.hpp' ! -path '*/detail/*' ! -name '*src.hpp' | LC_ALL=C sort | sed 's/.*/#include <&>/') >"$work/headers.cpp"
headers="$work/headers.cpp cmake/compiled.cpp"
everything="$headers $(echo examples/*.cpp examples/*/*.cpp)"

# check <sources> <title> <compiler> <flag...>: as many at a time as there are processors.
check() {
    sources=$1 title=$2
    shift 2
    set -- "$@" -std=c++20 -fsyntax-only -Iinclude -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fdiagnostics-color=never
    # shellcheck disable=SC2016,SC2086
    complaints=$(printf '%s\n' $sources | xargs -P "$(nproc)" -I '{}' sh -c '
        source=$1
        shift
        case $source in cmake/compiled.cpp) set -- "$@" -DWEIR_SEPARATE_COMPILATION ;; esac
        said=$("$@" "$source" 2>&1) || printf "%s does not compile:\n%s\n" "$source" "$(printf "%s\n" "$said" | grep -m 3 -E "error:|not found")"
    ' sh '{}' "$@")
    if [ -z "$complaints" ]; then
        say "pass $title"
        passed=$((passed + 1))
    else
        say "FAIL $title"
        say "$complaints"
        failed=$((failed + 1))
    fi
}
# The version of Boost that a compiler finds with these flags.
boost_of() { printf '#include <boost/version.hpp>\nBOOST_LIB_VERSION\n' | "$@" -E -x c++ - 2>/dev/null | tail -n 1 | tr -d '"' | tr _ .; }
with_newest_clang() { LD_LIBRARY_PATH=$newest_libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$@"; }

find_newest_clang
gxx_title="$CXX $("$CXX" -dumpfullversion)"
own=$(boost_of "$CXX")
check "$headers" "$gxx_title, Boost $own" "$CXX"
if [ -n "$newest_clang" ]; then
    clang_title="clang++ $(with_newest_clang "$newest_clang" -dumpversion)"
    if [ "$newest_clang" = "$clangxx" ]; then sources=$headers; else sources=$everything; fi
    with_newest_clang check "$sources" "$clang_title, Boost $own" "$newest_clang"
else
    skip "clang++: none from 16 on is here, and apt offers none"
fi
for version in 1.83 1.88; do
    include=$work/boost-$version/usr/include
    if [ "$own" = "$version" ] || [ "${own#"$version".}" != "$own" ]; then
        say "Boost $version is this system's own."
    elif ! unpack "libboost$version-dev" "$work/boost-$version"; then
        skip "Boost $version: the package libboost$version-dev cannot be had here"
    elif [ "$(boost_of "$CXX" -isystem "$include" | tr . _)" != "$(echo "$version" | tr . _)" ]; then
        say "FAIL Boost $version: its headers are not found in $include"
        failed=$((failed + 1))
    else
        check "$everything" "$gxx_title, Boost $version" "$CXX" -isystem "$include"
        [ -z "$newest_clang" ] || with_newest_clang check "$headers" "$clang_title, Boost $version" "$newest_clang" -isystem "$include"
    fi
done

say ""
summary="$passed passed, $failed failed"
[ "$skipped" -gt 0 ] && summary="$summary, $skipped skipped"
say "$summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
