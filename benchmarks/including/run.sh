#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# What including costs: the CPU seconds of compiling (-O0 -c) a file that includes one header of weir, against one that includes
# only the std and third-party headers which that header reaches. Median of three alternating rounds.
# The bar is 1.3 x that plus 0.1 s, and 1.6 s for weir.hpp. A .cpp file beside this script begins with lines `// bar: <seconds> <flags>`:
# for each it is compiled with these flags and held to that bar.
# usage: sh benchmarks/including/run.sh [HEADER...]      as in weir/core/result.hpp; all of them if none is named
# CXX is the compiler (g++), CXXFLAGS are added. The exit status is 1 if something is over its bar.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=${CXX:-g++}

# reached_by <header>: the #include lines for what it reaches, through weir's own headers, outside of weir.
reached_by() {
    awk -v start="$1" '
        function visit(header,    line, name, folder) {
            if (header in seen) return
            seen[header] = 1
            folder = header
            sub(/[^\/]*$/, "", folder)
            while ((getline line < ("include/" header)) > 0) {
                if (line !~ /^[ \t]*#[ \t]*include[ \t]*[<"]/) continue
                name = line
                sub(/^[^<"]*[<"]/, "", name)
                sub(/[>"].*/, "", name)
                if (name ~ /^weir\//) visit(name)
                else if (line ~ /"/) visit(folder name)
                else if (!(name in reached)) {
                    reached[name] = 1
                    print "#include <" name ">"
                }
            }
            close("include/" header)
        }
        BEGIN { visit(start) }'
}

# cpu_seconds <file> <flags...>: of one compilation, children of the shell that runs it.
cpu_seconds() {
    file=$1
    shift
    # shellcheck disable=SC2016,SC2086
    sh -c '"$@" || exit 1; times' sh "$compiler" -std=c++20 -Iinclude ${CXXFLAGS-} "$@" -c "$file" -o "$work/out.o" 2>"$work/errors" |
        awk 'NR == 2 { gsub(/s/, ""); for (i = 1; i <= 2; i++) { split($i, t, "m"); sum += 60 * t[1] + t[2] } printf "%.3f\n", sum; found = 1 }
             END { exit !found }'
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

over=0
# report <name> <seconds> <seconds of the others, or -> <bar>
report() {
    verdict=$(awk -v s="$2" -v b="$4" 'BEGIN { print s <= b ? "ok" : "OVER" }')
    ratio=-
    [ "$3" != - ] && ratio=$(awk -v s="$2" -v o="$3" 'BEGIN { if (o > 0) printf "%.2f", s / o; else print "-" }')
    printf '%-48s %8s %8s %6s %8s  %s\n' "$1" "$2" "$3" "$ratio" "$4" "$verdict"
    [ "$verdict" = ok ] || over=$((over + 1))
}

die() {
    echo "$1" >&2
    exit 2
}

broken() {
    printf '%-48s does not compile: %s\n' "$1" "$(grep -m 1 error "$work/errors")"
    over=$((over + 1))
}

printf '%-48s %8s %8s %6s %8s\n' "header ($compiler, CPU seconds)" with others ratio bar
headers=${*:-$(cd include && find weir* -name '*.hpp' ! -name src.hpp | sort)}
for header in $headers; do
    echo "#include <$header>" >"$work/with.cpp"
    reached_by "$header" >"$work/others.cpp"
    with='' others=''
    for round in 1 2 3; do
        with="$with $(cpu_seconds "$work/with.cpp" -O0)" || break
        others="$others $(cpu_seconds "$work/others.cpp" -O0)" || break
    done || true
    # shellcheck disable=SC2086
    if [ "$(echo $with $others | wc -w)" -ne 6 ]; then
        broken "$header"
        continue
    fi
    # shellcheck disable=SC2086
    with=$(median $with) others=$(median $others)
    case $header in
    */weir.hpp | weir.hpp) bar=1.600 ;;
    *) bar=$(awk -v o="$others" 'BEGIN { printf "%.3f", 1.3 * o + 0.1 }') ;;
    esac
    report "$header" "$with" "$others" "$bar"
done

if [ $# -eq 0 ]; then
    for file in benchmarks/including/*.cpp; do
        [ -e "$file" ] || continue
        sed '/^\/\/ bar: /!q' "$file" | sed -n 's|^// bar: *||p' >"$work/bars"
        [ -s "$work/bars" ] || die "$file: its first line has to be '// bar: <seconds> <flags>'"
        while read -r bar flags; do
            seconds=
            # shellcheck disable=SC2086
            for round in 1 2 3; do seconds="$seconds $(cpu_seconds "$file" $flags)" || break; done
            # shellcheck disable=SC2086
            if [ "$(echo $seconds | wc -w)" -ne 3 ]; then
                broken "$file"
            else
                report "${file##*/} $flags" "$(median $seconds)" - "$bar"
            fi
        done <"$work/bars"
    done
fi

echo "$over over the bar"
[ "$over" -eq 0 ]
