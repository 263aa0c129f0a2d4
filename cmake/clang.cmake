# SPDX-License-Identifier: BSL-1.0
# A toolchain: the newest clang++ that is there, used by the preset "clang".
include(${CMAKE_CURRENT_LIST_DIR}/find_clang.cmake)
weir_find_clang(CMAKE_CXX_COMPILER)
if(NOT CMAKE_CXX_COMPILER)
    message(FATAL_ERROR "No clang++ of version 16 or later is here.")
endif()
