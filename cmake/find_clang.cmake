# SPDX-License-Identifier: BSL-1.0
# weir_find_clang(<variable>): the newest clang++ of version 16 or later, or <variable>-NOTFOUND.

function(weir_clang_is_new_enough result compiler)
    execute_process(COMMAND ${compiler} -dumpversion OUTPUT_VARIABLE version ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT version VERSION_GREATER_EQUAL 16)
        set(${result} FALSE PARENT_SCOPE)
    endif()
endfunction()

function(weir_find_clang variable)
    find_program(${variable} NAMES clang++-24 clang++-23 clang++-22 clang++-21 clang++-20 clang++-19 clang++-18 clang++-17 clang++-16 clang++
                 VALIDATOR weir_clang_is_new_enough)
endfunction()
