// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What weir compiles once a program: include this in one file, and define `WEIR_SEPARATE_COMPILATION` for all. CMake's target
/// `weir::compiled` does both.

#include <weir/http/src.hpp>
#include <weir/http/tls_src.hpp>
