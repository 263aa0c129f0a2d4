# SPDX-License-Identifier: BSL-1.0
# What weir's own programs (tests, examples, benchmarks) have in common. Nothing here reaches a user of the library.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)

# Warnings as errors, for our own files only.
add_library(weir_warnings INTERFACE)
target_compile_options(weir_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# g++ 12 at -O1 sees through Asio's allocation of coroutine frames, but not through its release.
target_compile_options(weir_warnings INTERFACE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-mismatched-new-delete>)

if(WEIR_SANITIZE)
    target_compile_options(weir_warnings INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(weir_warnings INTERFACE -fsanitize=${WEIR_SANITIZE})
    target_compile_definitions(weir_warnings INTERFACE WEIR_SANITIZED)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # Instrumented code hides initialisations from this warning.
        target_compile_options(weir_warnings INTERFACE -Wno-maybe-uninitialized)
    endif()
    if(WEIR_SANITIZE MATCHES "thread")
        # The thread sanitizer knows no stand-alone fences.
        target_compile_definitions(weir_warnings INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    endif()
endif()

# Boost.JSON has one file of bodies. As an archive it is linked only into programs that use them.
file(WRITE ${PROJECT_BINARY_DIR}/json.cpp.in "#include <boost/json/src.hpp>\n")
configure_file(${PROJECT_BINARY_DIR}/json.cpp.in ${PROJECT_BINARY_DIR}/json.cpp COPYONLY)
add_library(weir_json STATIC EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/json.cpp)
target_compile_features(weir_json PUBLIC cxx_std_20)
target_link_libraries(weir_json PUBLIC Boost::headers Threads::Threads)
if(WEIR_SANITIZE)
    target_compile_options(weir_json PRIVATE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
endif()

# Here weir::compiled is one of our own files: it gets the same warnings and sanitizers.
if(TARGET weir_compiled)
    target_link_libraries(weir_compiled PRIVATE weir_warnings)
endif()

# weir_program(<target> SOURCES <file>... LINK <target>...): one of our own programs.
function(weir_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
    add_executable(${name} ${arg_SOURCES})
    if(WEIR_USE_COMPILED AND TARGET weir::compiled)
        list(APPEND arg_LINK weir::compiled)
    endif()
    target_link_libraries(${name} PRIVATE weir_warnings ${arg_LINK} weir_json Threads::Threads)
endfunction()
