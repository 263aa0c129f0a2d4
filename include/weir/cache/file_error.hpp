// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// A file that cannot be read or written, or is not what it should be. `what()` begins with the file's path.
class file_error : public std::runtime_error {
public:
    file_error(std::string_view path, std::string_view what) : std::runtime_error(std::string(path) + ": " + std::string(what)) {}
};

} // namespace weir::inline v0
