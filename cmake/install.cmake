# SPDX-License-Identifier: BSL-1.0
# Installs the headers, a package with components: find_package(weir CONFIG REQUIRED COMPONENTS core limit), and files for pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(weir_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weir)

# A file of targets a component, so that the package loads only those asked for.
foreach(name IN LISTS weir_components)
    install(TARGETS weir_${name} EXPORT weir-${name} FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(EXPORT weir-${name} NAMESPACE weir:: FILE weir-${name}-targets.cmake DESTINATION ${weir_package_dir})
endforeach()

include(cmake/pkgconfig.cmake)

if(EXISTS ${weir_include_dir}/weir/src.hpp)
    install(FILES include/weir/src.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir)
    install(FILES cmake/compiled.cmake cmake/compiled.cpp DESTINATION ${weir_package_dir})
    list(APPEND weir_components compiled)
    string(APPEND weir_component_table "set(weir_compiled_needs \"weir\")\nset(weir_compiled_packages \"\")\n")
endif()

configure_package_config_file(cmake/weir-config.cmake.in weir-config.cmake INSTALL_DESTINATION ${weir_package_dir}
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(weir-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/weir-config.cmake ${PROJECT_BINARY_DIR}/weir-config-version.cmake DESTINATION ${weir_package_dir})
