#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Each header compiles alone and without a warning, has its SPDX line, has its test at the same path, and those of core, limit, resilience
# and cache reach none of the heavy libraries, judged from the compiler's own list of dependencies; who links weir::compiled gets a server
# without Asio's sockets.
# usage: sh tests/layering/run.sh COMPILER [FLAG...]
set -u
export LC_ALL=C
include=$(cd "$(dirname "$0")/../../include" && pwd)
tests=$(cd "$(dirname "$0")/.." && pwd)

# has_a_test <header>: tests/<path>.cpp includes it. What lies in detail/ is tested through the headers that use it.
has_a_test() {
    case $1 in
    */detail/*) return 0 ;;
    weir/weir.hpp | weir/asio.hpp) return 0 ;;    # they only include others; README's programs include them
    weir/src.hpp | weir/http/src.hpp | weir/http/tls_src.hpp) return 0 ;; # weir::compiled is made of them, and the examples linked with it
    weir/version.hpp) return 0 ;;                 # the consumer prints it, and CMake reads it
    esac
    path=${1#weir/}
    grep -qxF "#include <$1>" "$tests/${path%.hpp}.cpp" 2>/dev/null
}

if [ "${1-}" = --one ]; then
    header=$2
    shift 2
    if ! head -n 1 "$include/$header" | grep -q '^// SPDX-License-Identifier: BSL-1.0$'; then
        echo "FAIL $header: its first line has to be '// SPDX-License-Identifier: BSL-1.0'"
        exit 0
    fi
    if ! has_a_test "$header"; then
        path=${header#weir/}
        echo "FAIL $header: it has no test: tests/${path%.hpp}.cpp is not there, or does not include it"
        exit 0
    fi
    set -- "$@" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fdiagnostics-color=never -x c++ -include "$header"
    [ "$header" = weir/src.hpp ] && set -- "$@" -DWEIR_SEPARATE_COMPILATION
    # One run says both: what is wrong, or else on what the header depends. The list goes to a file of its own: clang replaces the file it is
    # told, be it /dev/stdout.
    list=$(mktemp)
    trap 'rm -f "$list"' EXIT
    if ! output=$("$@" -fsyntax-only -MD -MF "$list" /dev/null 2>&1); then
        printf 'FAIL %s: it does not compile alone\n%s\n' "$header" "$(printf '%s\n' "$output" | grep -m 3 ' error: ')"
        exit 0
    fi
    if ! grep -q -F "$header" "$list"; then
        echo "FAIL $header: the compiler does not say on what it depends"
        exit 0
    fi
    case $header in weir/core/* | weir/limit/* | weir/resilience/* | weir/cache/* | weir/weir.hpp)
        heavy=$(tr ' ' '\n' <"$list" | grep -E -m 1 '/(boost/(asio|beast|json)|openssl|fmt)/')
        if [ -n "$heavy" ]; then
            echo "FAIL $header: it reaches $heavy"
            exit 0
        fi ;;
    weir/http/server.hpp | weir/http/server_group.hpp)
        "$@" -DWEIR_SEPARATE_COMPILATION -fsyntax-only -MD -MF "$list" /dev/null
        if grep -q -F /boost/asio/basic_socket.hpp "$list"; then
            echo "FAIL $header: it reaches Asio's sockets where the bodies are compiled elsewhere"
            exit 0
        fi ;;
    esac
    echo "pass $header"
    exit 0
fi

if [ $# -eq 0 ]; then
    echo "usage: sh tests/layering/run.sh COMPILER [FLAG...]" >&2
    exit 2
fi
headers=$(cd "$include" && find weir -name '*.hpp' | sort)
verdicts=$(printf '%s\n' $headers | xargs -P "$(nproc)" -I '{}' sh -c 'verdict=$(sh "$@"); printf "%s\n" "$verdict"' sh "$0" --one '{}' "$@")
printf '%s\n' "$verdicts" | grep -v '^pass '
passed=$(printf '%s\n' "$verdicts" | grep -c '^pass ')
failed=$(($(printf '%s\n' $headers | wc -l) - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
