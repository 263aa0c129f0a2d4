// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace weir_tests {

/// A folder of the public test data, which is no part of the project: beside it, or where WEIR_VECTORS says. Empty, and said so, if it is not there.
inline std::filesystem::path vectors(char const* folder)
{
    char const* const named = std::getenv("WEIR_VECTORS");
    std::filesystem::path const root =
        named != nullptr ? std::filesystem::path(named) : std::filesystem::path(__FILE__).parent_path() / "../../../shared/vectors";
    if (std::filesystem::is_directory(root / folder)) return root / folder;
    MESSAGE("skipped: no vectors at ", (root / folder).string(), " (set WEIR_VECTORS)");
    return {};
}

inline std::string contents(std::filesystem::path const& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace weir_tests
