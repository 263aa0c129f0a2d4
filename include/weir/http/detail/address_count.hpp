// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/http/ip_address.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weir::inline v0::http::detail {

/// How many connections each subscriber has open: an entry for those that have one, so that the total bounds it. Keeps nothing if
/// there is no limit.
class address_count {
public:
    using key_type = std::array<std::uint64_t, 2>;

    explicit address_count(std::size_t most) : most_(most), counts_(0, weir::detail::seeded_hash(weir::detail::random_seed())) {}

    /// One more. False: that would be too many, and it is not counted.
    [[nodiscard]] bool take(ip_address const& a)
    {
        if (most_ == unlimited) return true;
        std::size_t& count = counts_[a.subscriber()];
        if (count >= most_) return false;
        ++count;
        return true;
    }
    void give_back(ip_address const& a) noexcept
    {
        if (most_ == unlimited) return;
        auto const found = counts_.find(a.subscriber());
        if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    }
    [[nodiscard]] std::size_t size() const noexcept { return counts_.size(); }

private:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    std::size_t most_;
    boost::unordered_flat_map<key_type, std::size_t, weir::detail::seeded_hash> counts_; // nobody can choose addresses that collide
};

} // namespace weir::inline v0::http::detail
