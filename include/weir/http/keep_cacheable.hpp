// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/grammar.hpp>
#include <weir/http/message.hpp>

#include <algorithm>
#include <string_view>

namespace weir::inline v0::http {

/// A part of a `cached` that keeps only responses that may be kept by a cache that many share (RFC 9111, section 3): those whose status can
/// be cached without being asked for (RFC 9110, section 15.1: 200, 203, 204, 300, 301, 308, 404, 405, 410, 414 and 501; not 206, which is a
/// part), and which do not say `cache-control: no-store`, `private` or `no-cache`, set a cookie, or vary by everything. A refusal, 429 or
/// 503 say, and a failure go to their caller alone:
/// `cached{store<std::string, http::response>{...}, query<"symbol">, http::keep_cacheable{}}`.
struct keep_cacheable {
    [[nodiscard]] bool keeps(response const& r) const
    {
        if (!may_be_cached(r.result())) return false;
        if (r.count(field::set_cookie) != 0) return false;
        for (auto const& each : r) {
            if (each.name() == field::cache_control && forbids(each.value())) return false;
            if (each.name() == field::vary && each.value() == "*") return false;
        }
        return true;
    }

private:
    static constexpr bool may_be_cached(status s) noexcept
    {
        switch (static_cast<unsigned>(s)) {
        case 200:
        case 203:
        case 204:
        case 300:
        case 301:
        case 308:
        case 404:
        case 405:
        case 410:
        case 414:
        case 501: return true;
        default: return false;
        }
    }
    /// `private="set-cookie"` speaks of fields only; it is taken for the whole, to be safe.
    static bool forbids(std::string_view directives)
    {
        while (!directives.empty()) {
            auto const comma = std::min(directives.find(','), directives.size());
            std::string_view const one = directives.substr(0, comma);
            std::string_view const name = detail::trim(one.substr(0, one.find('=')));
            for (std::string_view const each : {"no-store", "private", "no-cache"})
                if (detail::equals(name, each)) return true;
            directives.remove_prefix(std::min(comma + 1, directives.size()));
        }
        return false;
    }
};

} // namespace weir::inline v0::http
