// SPDX-License-Identifier: BSL-1.0
// What every header needs, said first: before the compiler says it by what it stumbles over.
#pragma once

#if __cplusplus < 202002L
#error weir needs C++20: compile with -std=c++20
#endif

#include <boost/version.hpp>

#if BOOST_VERSION < 108100
#error weir needs Boost 1.81 or newer
#endif
