// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/detail/accepted_token.hpp>
#include <weir/sign/secret.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

namespace weir::inline v0::detail {

/// Remembers accepted tokens: a table of sets of four, each token in the set that its last bytes choose by a keyed hash. A new one takes the
/// place of one that is over, else of the one that came in first. The whole token is compared, in constant time. Memory: the tokens
/// and their claims, `capacity` of them.
template<threading_model Threading>
class verdict_store {
public:
    explicit verdict_store(std::size_t capacity, std::uint64_t seed = random_seed()) : hash_(seed)
    {
        if (capacity != 0) sets_.resize(std::bit_ceil((capacity + ways - 1) / ways));
    }

    /// The token, if it was accepted under this version of the keys, and its time is now.
    [[nodiscard]] accepted find(std::string_view token, wall_time now, std::size_t version)
    {
        if (sets_.empty() || token.size() < tail) return nullptr;
        std::uint64_t const hash = hash_of(token);
        std::size_t const index = hash & (sets_.size() - 1);
        set& s = sets_[index];
        std::lock_guard const lock(mutexes_[index % locks].mutex);
        for (std::size_t i = 0; i < ways; ++i) {
            if (s.hashes[i] != hash || s.held[i] == nullptr || !equal_in_constant_time(s.held[i]->text, token)) continue;
            accepted_token const& found = *s.held[i];
            if (found.version == version && found.from <= now && now < found.until) return s.held[i];
            return nullptr;
        }
        return nullptr;
    }
    void keep(accepted fresh, wall_time now)
    {
        if (sets_.empty() || fresh->text.size() < tail) return;
        std::uint64_t const hash = hash_of(fresh->text);
        std::size_t const index = hash & (sets_.size() - 1);
        set& s = sets_[index];
        std::lock_guard const lock(mutexes_[index % locks].mutex);
        std::size_t place = s.next;
        for (std::size_t i = 0; i < ways; ++i) {
            bool const over = s.held[i] == nullptr || s.held[i]->until <= now || s.held[i]->version != fresh->version;
            if (over) place = i;
            if (s.held[i] != nullptr && s.hashes[i] == hash && s.held[i]->text == fresh->text) {
                place = i;
                break;
            }
        }
        s.next = static_cast<std::uint8_t>((place + 1) % ways);
        s.hashes[place] = hash;
        s.held[place].swap(fresh); // what was there ends outside the lock
    }
    /// How many places there are.
    [[nodiscard]] std::size_t capacity() const noexcept { return sets_.size() * ways; }

private:
    static constexpr std::size_t ways = 4, tail = 16, locks = 32;
    struct set {
        std::array<std::uint64_t, ways> hashes{};
        std::array<accepted, ways> held{};
        std::uint8_t next = 0;
    };
    [[nodiscard]] std::uint64_t hash_of(std::string_view token) const { return hash_(token.substr(token.size() - tail)); }
    struct alignas(64) padded {
        typename Threading::mutex mutex{};
    };
    seeded_hash hash_;
    std::vector<set> sets_;
    std::array<padded, locks> mutexes_{};
};

} // namespace weir::inline v0::detail
