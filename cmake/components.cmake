# SPDX-License-Identifier: BSL-1.0
# One INTERFACE target a folder of include/weir, each linking only what its own headers need.

# Seen from a project that adds weir as a subdirectory, too.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(Boost 1.81 REQUIRED)
find_package(Threads)
# Looked for, not demanded: who never links weir::sign needs no OpenSSL.
find_package(OpenSSL 3.0 QUIET)

set(weir_include_dir ${PROJECT_SOURCE_DIR}/include)
set(weir_components "")
set(weir_component_table "")

# weir_component(<name> FILES <header>... NEEDS <component>... LINK <target>... PACKAGES <package and version>...)
function(weir_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FILES;NEEDS;LINK;PACKAGES")
    add_library(weir_${name} INTERFACE)
    add_library(weir::${name} ALIAS weir_${name})
    set_target_properties(weir_${name} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ${WEIR_VERIFY_HEADERS})
    target_compile_features(weir_${name} INTERFACE cxx_std_20)
    target_sources(weir_${name} INTERFACE FILE_SET HEADERS BASE_DIRS ${weir_include_dir} FILES ${arg_FILES})
    list(TRANSFORM arg_NEEDS PREPEND weir_ OUTPUT_VARIABLE needed)
    target_link_libraries(weir_${name} INTERFACE ${needed} ${arg_LINK})

    # What the installed package has to know of it.
    string(APPEND weir_component_table "set(weir_${name}_needs \"${arg_NEEDS}\")\nset(weir_${name}_packages \"${arg_PACKAGES}\")\n")
    set(weir_component_table "${weir_component_table}" PARENT_SCOPE)
    set(weir_components ${weir_components} ${name} PARENT_SCOPE)
endfunction()

# weir_folder(<name> ...): the component whose headers are those of include/weir/<name>.
macro(weir_folder name)
    file(GLOB_RECURSE weir_${name}_headers CONFIGURE_DEPENDS ${weir_include_dir}/weir/${name}/*.hpp)
    if(weir_${name}_without)
        list(FILTER weir_${name}_headers EXCLUDE REGEX ${weir_${name}_without})
    endif()
    weir_component(${name} FILES ${weir_${name}_headers} ${weir_${name}_extra} ${ARGN})
endmacro()

set(weir_core_extra ${weir_include_dir}/weir/version.hpp)
weir_folder(core LINK Boost::headers PACKAGES "Boost 1.81")
weir_folder(limit NEEDS core)
weir_folder(resilience NEEDS core limit LINK Threads::Threads PACKAGES "Threads")
weir_folder(cache NEEDS core)
weir_folder(validate NEEDS core resilience)
weir_folder(sign NEEDS core cache validate LINK OpenSSL::Crypto PACKAGES "OpenSSL 3.0")
set(weir_asio_extra ${weir_include_dir}/weir/asio.hpp)
weir_folder(asio NEEDS core LINK Threads::Threads PACKAGES "Threads")
# TLS lies in the same folder, but is a component of its own: who does without needs no OpenSSL.
set(weir_http_without "/tls[^/]*$")
weir_folder(http NEEDS asio limit resilience validate)
file(GLOB_RECURSE weir_tls_headers CONFIGURE_DEPENDS ${weir_include_dir}/weir/http/tls*.hpp)
weir_component(tls FILES ${weir_tls_headers} NEEDS http LINK OpenSSL::SSL PACKAGES "OpenSSL 3.0")
weir_folder(testing NEEDS asio)

# The umbrella: everything above, and weir.hpp.
file(GLOB weir_umbrella_headers CONFIGURE_DEPENDS ${weir_include_dir}/weir/weir.hpp ${weir_include_dir}/weir.hpp)
set(weir_folders ${weir_components})
weir_component(weir FILES ${weir_umbrella_headers} NEEDS ${weir_folders})

# weir::compiled: the bodies that are no templates, compiled once with the flags of whoever links it. It holds those of weir::sign, too.
if(EXISTS ${weir_include_dir}/weir/src.hpp AND TARGET OpenSSL::Crypto)
    include(${CMAKE_CURRENT_LIST_DIR}/compiled.cmake)
endif()
