#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Installs what is missing, builds and runs all tests: with g++, with clang, under the address and under the thread sanitizer; and whether
# the sources compile with the other compilers and versions of Boost.
# usage: sh tests/run.sh [STAGE...]      stages: test (also called quick), clang, asan, tsan, matrix; all of them if none is named
set -u
cd "$(dirname "$0")/.." || exit 1
. cmake/ensure.sh

stages=
for stage in "$@"; do
    case $stage in
    quick | test) stages="$stages test" ;;
    clang | asan | tsan | matrix) stages="$stages $stage" ;;
    *) die "usage: sh tests/run.sh [quick | test | clang | asan | tsan | matrix]..." ;;
    esac
done
stages=${stages:-test clang asan tsan matrix}
ensure tests

jobs=$(nproc)
passed=0 failed=0 skipped=0

# count <log>: adds up ctest's lines, one a test.
count() {
    counts=$(awk '/^ *[0-9]+\/[0-9]+ Test +#[0-9]+:/ { if (/ Passed /) p++; else if (/\*\*\*Skipped/) s++; else f++ } END { print p + 0, f + 0, s + 0 }' "$1")
    # shellcheck disable=SC2086
    set -- $counts
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    [ $(($1 + $2 + $3)) -gt 0 ]
}

skip() {
    say "skipped: $1"
    skipped=$((skipped + 1))
}

# runs_with <compiler> <sanitizer> <command...>: whether a program made so runs here, under that command.
runs_with() {
    compiler=$1 sanitizer=$2
    shift 2
    probe=$(mktemp -d)
    echo 'int main() {}' >"$probe/main.cpp"
    "$compiler" "-fsanitize=$sanitizer" "$probe/main.cpp" -o "$probe/main" >/dev/null 2>&1 && "$@" "$probe/main" >/dev/null 2>&1
    status=$?
    rm -rf "$probe"
    return $status
}

# run_stage <preset> <title> <how to start ctest> <options of cmake...>
run_stage() {
    preset=$1 title=$2 launcher=$3
    shift 3
    heading "$title"
    start=$(date +%s)
    log=build/$preset.log
    mkdir -p build
    if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
        cat "$log"
        say "failed: configuring"
        failed=$((failed + 1))
    else
        say "Building ..."
        built=yes failed_before=$failed
        # Whatever can be built is built and run; a program that is missing fails as a test.
        keep_going=-k
        [ "${CMAKE_GENERATOR-}" = Ninja ] && keep_going="-k 0"
        # shellcheck disable=SC2086
        if ! cmake --build "build/$preset" --parallel "$jobs" -- $keep_going >"$log" 2>&1; then
            grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Re-checking)|^\[ *[0-9]+%\]' "$log" | head -n 200
            say "failed: building"
            built=no
        fi
        # shellcheck disable=SC2086
        $launcher ctest --test-dir "build/$preset" --parallel "$jobs" --timeout 300 --output-on-failure 2>&1 | tee "$log"
        if ! count "$log"; then
            say "failed: no test was run"
            failed=$((failed + 1))
        fi
        # What did not build counts once: as the tests that did not run, or for itself where old programs ran instead.
        if [ "$built" = no ] && [ "$failed" -eq "$failed_before" ]; then failed=$((failed + 1)); fi
    fi
    say "=== $title: $(($(date +%s) - start)) s"
}

# how_to_run <compiler> <sanitizers>: whether such programs run here, and by which $launcher: some kernels place memory where the sanitizers
# do not expect it.
how_to_run() {
    launcher=
    runs_with "$1" "$2" env && return 0
    launcher="setarch $(uname -m) -R"
    # shellcheck disable=SC2086
    runs_with "$1" "$2" $launcher
}

# run_sanitized <preset> <sanitizers> <title> <compiler>
run_sanitized() {
    if how_to_run "$4" "$2"; then
        run_stage "$1" "$3" "$launcher"
    else
        heading "$3"
        skip "programs with -fsanitize=$2 do not run on this machine"
    fi
}

# Clang's address sanitizer stage also shows that all programs compile with clang and do what they should: then the stage without sanitizers has
# only those folders in which a compiler was once found to be wrong, and the fuzz targets.
memory=address,undefined
sanitizes_with_clang=no
case $stages in *asan*) if [ -n "$clangxx" ] && how_to_run "$clangxx" $memory; then sanitizes_with_clang=yes; fi ;; esac

for stage in $stages; do
    case $stage in
    test) run_stage test "tests with ${CXX:-g++}" "" ;;
    clang)
        if [ $sanitizes_with_clang = yes ]; then
            run_stage clang "core, asio, the fuzz targets and the examples with $clangxx" "" "-DWEIR_TEST_FOLDERS=core;asio;fuzz"
        elif [ -n "$clangxx" ]; then
            run_stage clang "tests with $clangxx" "" -U WEIR_TEST_FOLDERS
        else
            heading "tests with clang"
            skip "no clang++ from 16 on"
        fi
        ;;
    asan)
        title="tests under the address and undefined behaviour sanitizers"
        if [ $sanitizes_with_clang = yes ]; then
            run_sanitized clang_asan $memory "$title, with $clangxx" "$clangxx"
        else
            run_sanitized asan $memory "$title" "${CXX:-g++}"
        fi
        ;;
    matrix)
        heading "compilers and versions of Boost"
        start=$(date +%s)
        mkdir -p build
        sh tests/matrix.sh 2>&1 | tee build/matrix.log
        # shellcheck disable=SC2046
        set -- $(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)*$/\1 \2 \4/p' build/matrix.log)
        passed=$((passed + ${1:-0})) failed=$((failed + ${2:-1})) skipped=$((skipped + ${3:-0}))
        say "=== compilers and versions of Boost: $(($(date +%s) - start)) s"
        ;;
    tsan) run_sanitized tsan thread "concurrent tests under the thread sanitizer" "${CXX:-g++}" ;;
    esac
done

say ""
summary="$passed passed, $failed failed"
[ "$skipped" -gt 0 ] && summary="$summary, $skipped skipped"
say "$summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
