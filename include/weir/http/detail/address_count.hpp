// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/http/ip_address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

namespace weir::inline v0::http::detail {

/// How many connections each subscriber has open: an entry for those that have one, so that the total bounds it. Keeps nothing if
/// there is no limit. Thread-confined.
///
/// A table with linear probing and deletion by moving back (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithms L and
/// R), at most half full. Boost's flat map would do, and costs every file with a server two hundred functions more.
class address_count {
public:
    using key_type = std::array<std::uint64_t, 2>;

    explicit address_count(std::size_t most) : most_(most), hash_(weir::detail::random_seed()) {}

    /// One more. False: that would be too many, and it is not counted.
    [[nodiscard]] bool take(ip_address const& a)
    {
        if (most_ == unlimited) return true;
        if (most_ == 0) return false;
        if (size_ >= room() / 2) grow();
        entry& found = slots_[place_of(a.subscriber())];
        if (found.count >= most_) return false;
        if (found.count++ == 0) {
            found.key = a.subscriber();
            ++size_;
        }
        return true;
    }
    void give_back(ip_address const& a) noexcept
    {
        if (most_ == unlimited || slots_ == nullptr) return;
        std::size_t const at = place_of(a.subscriber());
        if (slots_[at].count != 0 && --slots_[at].count == 0) close_gap(at);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
    struct entry {
        key_type key{};
        std::size_t count = 0; // 0: a free place
    };

    [[nodiscard]] std::size_t room() const noexcept { return slots_ == nullptr ? 0 : mask_ + 1; }
    /// Nobody can choose addresses that collide.
    [[nodiscard]] std::size_t home_of(key_type const& key) const noexcept { return hash_.words(key[0], key[1]) & mask_; }
    /// Where the key is, or the free place where it would be.
    [[nodiscard]] std::size_t place_of(key_type const& key) const noexcept
    {
        std::size_t at = home_of(key);
        while (slots_[at].count != 0 && slots_[at].key != key) at = (at + 1) & mask_;
        return at;
    }
    void close_gap(std::size_t gap) noexcept
    {
        --size_;
        for (std::size_t at = (gap + 1) & mask_; slots_[at].count != 0; at = (at + 1) & mask_) {
            // What has its home behind the gap stays: it would not be found before it.
            if (((at - home_of(slots_[at].key)) & mask_) < ((at - gap) & mask_)) continue;
            slots_[gap] = std::exchange(slots_[at], entry{});
            gap = at;
        }
    }
    void grow()
    {
        std::size_t const before = room();
        auto old = std::exchange(slots_, std::unique_ptr<entry[]>(new entry[before == 0 ? 16 : 2 * before]));
        mask_ = before == 0 ? 15 : 2 * before - 1;
        for (std::size_t i = 0; i < before; ++i)
            if (old[i].count != 0) slots_[place_of(old[i].key)] = old[i];
    }

    std::size_t most_;
    weir::detail::seeded_hash hash_;
    std::unique_ptr<entry[]> slots_;
    std::size_t mask_ = 0;
    std::size_t size_ = 0;
};

} // namespace weir::inline v0::http::detail
