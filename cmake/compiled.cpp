// SPDX-License-Identifier: BSL-1.0
// The one file of weir::compiled.
#include <weir/src.hpp>
