// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "scene.hpp"

#include <weir/core/clock.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace gateway {

/// What is going on: one line that changes on a terminal, a line a scene elsewhere.
class progress {
public:
    void begin(scene const& s)
    {
        ++number_;
        show(s);
    }
    /// At most ten times a second.
    void show(scene const& s)
    {
        weir::time_point const now = weir::steady::now();
        if (!terminal_ || now - shown_ < std::chrono::milliseconds(100)) return;
        shown_ = now;
        fmt::print("\r\033[K{}", line(s));
        std::fflush(stdout);
    }
    void end(scene const& s)
    {
        fmt::print("{}{}{}\n", terminal_ ? "\r\033[K" : "", line(s), s.unmet().empty() ? "" : "   not as expected");
        std::fflush(stdout);
    }

private:
    [[nodiscard]] std::string line(scene const& s) const
    {
        double const seconds = std::chrono::duration<double>(weir::steady::now() - begun_).count();
        return fmt::format("{:5.1f} s  {}. {:<26} sent {:>4}, answered {:>4}, refused {:>4}", seconds, number_, s.title(), s.total(),
                           s.good(), s.refused());
    }

    bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
    weir::time_point begun_ = weir::steady::now();
    weir::time_point shown_{};
    int number_ = 0;
};

} // namespace gateway
