// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/validate/number.hpp>
#include <weir/validate/query.hpp>
#include <weir/validate/violation.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// The facet that tells which part of a list is asked for: `limit` entries from the entry number `offset` on.
struct page {
    std::uint64_t limit = 0;
    std::uint64_t offset = 0;
    friend bool operator==(page const&, page const&) = default;
};

struct paging_options {
    std::uint64_t max_limit = 100;     ///< the most entries of a page; at least 1
    std::uint64_t default_limit = 20;  ///< entries of a page if the request does not say; from 1 to `max_limit`
    std::uint64_t max_offset = 10'000; ///< the last entry where a page may begin: whoever wants more needs a cursor, not an offset
};

/// Reads `limit` and `offset` of the query, as in `/orders?limit=50&offset=100`, and provides them as a `page`. A limit that is not from 1 to
/// `max_limit`, an offset above `max_offset`, a number that is written in another way or twice is refused with
/// `errc::invalid_request` and a `violation`: nobody asks a database for a million rows.
///
/// Costs two passes over the query. Thread-safe.
class paging {
public:
    using role = gate;
    using options = paging_options;
    using provides = facets<page>;
    using reads = reads_request<customisation::target_fn>;
    using reports = facets<violation>;
    static constexpr std::string_view name = "paging";
    struct stats_type {
        std::uint64_t refused = 0;
        void each(auto&& field) const { field("refused_total", refused); }
    };

    explicit paging(options const& o = {}) : settings_(checked(o)) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        options const o = settings_.load();
        auto const asked = target(call.request());
        auto const limit = read(asked, "limit", 1, o.max_limit, o.default_limit);
        auto const offset = read(asked, "offset", 0, o.max_offset, 0);
        if (limit && offset) [[likely]] {
            call.set(page{*limit, *offset});
            return admitted;
        }
        refused_.add(1);
        call.report(limit ? wrong("offset", 0, o.max_offset) : wrong("limit", 1, o.max_limit));
        return errc::invalid_request;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load()}; }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other ranges for calls that come from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("max_limit", o.max_limit);
        field("default_limit", o.default_limit);
        field("max_offset", o.max_offset);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.max_limit >= 1, "paging.max_limit", "at least 1");
        expect(o.default_limit >= 1 && o.default_limit <= o.max_limit, "paging.default_limit", "from 1 to max_limit");
        return o;
    }
    static std::optional<std::uint64_t> read(std::string_view asked, std::string_view parameter, std::uint64_t lowest,
                                             std::uint64_t highest, std::uint64_t otherwise)
    {
        query_value const text = find_query(asked, parameter);
        if (text.state == query_state::absent) return otherwise;
        auto const number = parse_number(text.value, lowest, highest);
        return text && number ? std::optional(number.value) : std::nullopt;
    }
    [[gnu::noinline, gnu::cold]] static violation wrong(std::string_view parameter, std::uint64_t lowest, std::uint64_t highest)
    {
        return {"query", std::string(parameter), "one number from " + std::to_string(lowest) + " to " + std::to_string(highest)};
    }

    live<options> settings_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
