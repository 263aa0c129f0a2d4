// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/file_error.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string_view>

TEST_CASE("file_error: names the file first")
{
    weir::file_error const e("a/b.bloom", "is damaged");
    CHECK(std::string_view(static_cast<std::runtime_error const&>(e).what()) == "a/b.bloom: is damaged");
}
