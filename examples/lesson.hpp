// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fmt/core.h>

#include <string_view>

/// What all lessons share: each step says what it shows, and whether it is so. The exit status of the program is 1 if one was not.
class lesson {
public:
    explicit lesson(std::string_view title) { fmt::print("{}\n", title); }
    void shows(std::string_view what, bool so)
    {
        fmt::print("  {} {}\n", so ? "yes" : "NO!", what);
        good_ = good_ && so;
    }
    [[nodiscard]] int exit_status() const { return good_ ? 0 : 1; }

private:
    bool good_ = true;
};
