# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=sh
# Sourced by the run.sh scripts. `ensure build|tests|benchmarks` finds out by trying what is missing, and installs it where there is apt.

# The newest first; names of compilers still to come are tried as well.
clang_versions="24 23 22 21 20 19 18 17 16"

say() { printf '%s\n' "$*"; }
heading() { printf '\n=== %s\n' "$*"; }
die() {
    say "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# preprocesses <text>: whether the compiler finds the headers and the conditions in it hold.
preprocesses() { printf '%b\n' "$1" | "${CXX:-g++}" -E -x c++ - >/dev/null 2>&1; }

gxx_is_there() {
    have "${CXX:-g++}" && preprocesses '#include <string>\n#if !defined(__clang__) && __GNUC__ < 12\n#error\n#endif'
}
cmake_is_there() { have cmake && cmake --version | awk 'NR == 1 { split($3, v, "."); exit !(v[1] > 3 || (v[1] == 3 && v[2] >= 25)) }'; }
generator_is_there() { have ninja || have make; }
boost_is_there() { preprocesses '#include <boost/version.hpp>\n#if BOOST_VERSION < 108100\n#error\n#endif'; }
openssl_is_there() { preprocesses '#include <openssl/opensslv.h>\n#if OPENSSL_VERSION_MAJOR < 3\n#error\n#endif'; }
fmt_is_there() { preprocesses '#include <fmt/core.h>'; }
doctest_is_there() { preprocesses '#include <doctest/doctest.h>'; }
valgrind_is_there() { have valgrind; }
wrk_is_there() { have wrk; }
pkgconfig_is_there() { have pkg-config; }
git_is_there() { have git; }

# The newest clang++ from 16 on, into $clangxx; empty if there is none.
find_clang() {
    clangxx=
    for version in $clang_versions; do
        if have "clang++-$version"; then
            clangxx=clang++-$version
            return 0
        fi
    done
    if have clang++ && [ "$(clang++ -dumpversion | cut -d. -f1)" -ge 16 ]; then
        clangxx=clang++
        return 0
    fi
    return 1
}
clang_is_there() { find_clang; }

os_field() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d "\"'" | head -n 1; }

# The package of one need on this system, into $package.
package_of() {
    case $1 in
    gxx) package=g++ ;;
    cmake) package=cmake ;;
    generator) package=ninja-build ;;
    boost) if [ "$os_id$os_major" = debian12 ]; then package=libboost1.81-dev; else package=libboost-dev; fi ;;
    openssl) package=libssl-dev ;;
    fmt) package=libfmt-dev ;;
    doctest) package=doctest-dev ;;
    pkgconfig) package=pkg-config ;;
    clang) package="clang-$clang_offered libclang-rt-$clang_offered-dev" ;;
    *) package=$1 ;;
    esac
}

# What to call the need for people without apt.
name_of() {
    case $1 in
    gxx) name="g++ >= 12" ;;
    cmake) name="cmake >= 3.25" ;;
    generator) name="ninja or make" ;;
    boost) name="Boost >= 1.81 (headers)" ;;
    openssl) name="OpenSSL >= 3.0 (headers and libcrypto)" ;;
    fmt) name="fmt >= 9" ;;
    clang) name="clang++ >= 16" ;;
    pkgconfig) name=pkg-config ;;
    *) name=$1 ;;
    esac
}

# How to become root, into $as_root: nothing for root itself, else sudo.
find_root() {
    as_root=
    [ "$(id -u)" -eq 0 ] && return 0
    have sudo || die "This needs root or sudo to install packages. Run it as root once, then as anybody."
    as_root=sudo
}
apt_get() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"; }

# clang 16 if it is offered, else the one that the distribution itself prefers, else the newest.
choose_clang() {
    clang_offered=
    preferred=$(apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9][0-9]*\)$/\1/p')
    [ "${preferred:-0}" -ge 16 ] || preferred=
    for version in 16 $preferred $clang_versions; do
        if apt-cache show "clang-$version" >/dev/null 2>&1; then
            clang_offered=$version
            return 0
        fi
    done
    return 1
}

# missing_of <need...>: those that are not there, into $missing.
missing_of() {
    missing=
    for need in "$@"; do
        "${need}_is_there" || missing="$missing $need"
    done
    missing=${missing# }
}

names_of() {
    names=
    for need in "$@"; do
        name_of "$need"
        names="$names${names:+, }$name"
    done
}

# install <need...>: by apt; its status is apt's. The list of packages is read once.
install() {
    packages=
    for need in "$@"; do
        if [ "$need" = clang ] && ! choose_clang; then
            say "This distribution offers no clang from 16 on."
            continue
        fi
        package_of "$need"
        packages="$packages $package"
    done
    [ -z "$packages" ] && return 0
    say "Installing:$packages"
    # --no-remove: nothing that is installed goes away for our sake.
    # shellcheck disable=SC2086
    apt_get install -y -q --no-remove --no-install-recommends $packages >"$apt_log" 2>&1
}

refuse_old_system() {
    supported="Debian 12 and newer, Ubuntu 24.04 and newer"
    case $os_id in
    debian) [ "${os_major:-99}" -ge 12 ] && return 0 ;;
    ubuntu) [ "${os_major:-99}" -ge 24 ] && return 0 ;;
    *) return 0 ;;
    esac
    die "$(os_field PRETTY_NAME) is too old: its packages lack g++ 12, CMake 3.25 or Boost 1.81. Supported: $supported."
}

# ensure <what>: `build` for the examples, `tests` or `benchmarks` for more.
ensure() {
    needed="gxx cmake generator boost openssl fmt"
    wished=
    case $1 in
    tests)
        needed="$needed doctest"
        wished="clang valgrind pkgconfig git"
        ;;
    benchmarks) wished="wrk valgrind" ;;
    esac
    # Where the compiler is missing no header can be tried: all count as missing, and apt knows better.
    # shellcheck disable=SC2086
    missing_of $needed
    required=$missing
    # shellcheck disable=SC2086
    missing_of $wished
    optional=$missing
    if [ -n "$required$optional" ]; then
        # shellcheck disable=SC2086
        names_of $required $optional
        say "Missing: $names"
        os_id=$(os_field ID)
        os_major=$(os_field VERSION_ID | cut -d. -f1)
        if have apt-get; then
            refuse_old_system
            by_apt
        elif [ -n "$required" ]; then
            die "There is no apt-get here. Install what is missing with this system's package manager, then run this again."
        else
            say "There is no apt-get here; going on without."
        fi
    fi
    # CMake takes the compiler that was looked at here, and Ninja where it is.
    export CXX="${CXX:-g++}"
    if have ninja; then export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"; fi
    find_clang || true
}

by_apt() {
    find_root
    apt_log=$(mktemp)
    apt_get update -q >"$apt_log" 2>&1 || say "apt-get update failed; trying with the lists that are here."
    # shellcheck disable=SC2086
    if [ -n "$required" ] && ! install $required; then
        grep -E '^(E|W):' "$apt_log" >&2
        if grep -q 'remove is disabled' "$apt_log"; then
            die "libboost1.81-dev conflicts with libboost1.74-dev and what depends on it, and nothing is removed for you." \
                "Remove libboost1.74-dev yourself, or run this in a container of Debian 12."
        fi
        die "apt-get could not install what is missing; its whole output is in $apt_log."
    fi
    # shellcheck disable=SC2086
    missing_of $required
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086
        names_of $missing
        die "Installed, but still missing: $names"
    fi
    for need in $optional; do
        install "$need" || say "Could not be installed, going on without: $need"
    done
    rm -f "$apt_log"
}
