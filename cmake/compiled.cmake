# SPDX-License-Identifier: BSL-1.0
# Creates weir::compiled in the project that includes this file: weir::weir with WEIR_SEPARATE_COMPILATION, and the one file that
# holds the bodies. It is built with the flags of that project, so it is never installed as a binary.

add_library(weir_compiled STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/compiled.cpp)
add_library(weir::compiled ALIAS weir_compiled)
target_compile_definitions(weir_compiled PUBLIC WEIR_SEPARATE_COMPILATION)
target_link_libraries(weir_compiled PUBLIC weir::weir)
