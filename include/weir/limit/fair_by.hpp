// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/wait_queue.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct fair_by_options {
    /// How many users may have a line of their own at a time; those that come then share one more. From 1 to 1,048,576.
    std::uint32_t max_users = 1'024;
};

/// Each user that waits gets a turn, one after the other, however many calls each has sent: `fair_by{by<principal>}`. Of one user: first
/// come, first served. In a full queue a newcomer takes the place of the newest call of the user who has most of them
/// waiting, if that is more than the newcomer's own would be; else it is refused.
///
/// Round robin (J. Nagle, RFC 970, 1985) by calls; the fullest line pays, as in FQ-CoDel (RFC 8290, section 4.1.2), found by a look at
/// each user that waits; of several the one whose turn is last. `KeyOf` is a key of the call. Users are told apart by a 64-bit hash with
/// a secret seed: two that collide take turns as one. Memory: 64 bytes a user of `max_users`, taken when it is made; a call allocates
/// nothing. It is moved, not copied.
template<class KeyOf>
class fair_by {
public:
    using options = fair_by_options;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    static constexpr std::string_view name = "fair_by";
    static constexpr bool reads_time = false;

    /// Throws `std::invalid_argument` if the options are bad.
    explicit fair_by(KeyOf key_of, options const& o = {})
        : key_of_(std::move(key_of)),
          hash_(detail::random_seed()),
          lines_(checked(o).max_users + 1),
          heads_(std::bit_ceil(o.max_users), none)
    {
        for (std::uint32_t i = 1; i <= o.max_users; ++i) give_back(i);
    }

    void mark(auto& call, waiter& w) const { w.note.key = hash_(key_of_(call)); }
    duration push(waiter& w, time_point, duration max_wait) noexcept
    {
        std::uint32_t i = find(w.note.key);
        if (i == none) i = begin(w.note.key);
        line& mine = lines_[i];
        if (mine.calls.empty()) put_last(i);
        w.note.line = i;
        mine.calls.push_back(w);
        return max_wait;
    }
    waiter* pop(time_point, auto&&) noexcept
    {
        if (turn_ == none) return nullptr;
        std::uint32_t const i = turn_;
        waiter* const next = lines_[i].calls.pop_front();
        turn_ = lines_[i].behind; // now it is the last of the ring
        if (lines_[i].calls.empty()) end(i);
        return next;
    }
    bool remove(waiter& w) noexcept
    {
        if (!w.linked()) return false;
        take_out(w);
        return true;
    }
    waiter* make_room(waiter& w, std::uint32_t) noexcept
    {
        std::uint32_t const own = find(w.note.key);
        std::size_t most = (own == none ? 0 : lines_[own].calls.size()) + 2;
        waiter* goes = nullptr;
        std::uint32_t i = turn_; // it is full, so somebody waits
        do {
            line const& each = lines_[i];
            if (each.calls.size() >= most) {
                most = each.calls.size();
                goes = each.calls.back();
            }
            i = each.behind;
        } while (i != turn_);
        if (goes != nullptr) take_out(*goes);
        return goes;
    }
    [[nodiscard]] bool empty() const noexcept { return turn_ == none; }
    void describe(auto&& field) const { field("max_users", static_cast<std::uint32_t>(lines_.size() - 1)); }

private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    static constexpr std::uint32_t shared_line = 0; // of those that found no line of their own

    struct line {
        std::uint64_t key = 0;
        waiter_list calls;
        std::uint32_t before = none; // in the ring of turns
        std::uint32_t behind = none;
        std::uint32_t next = none; // in the list of a head, or of those that are free
    };

    static options const& checked(options const& o)
    {
        expect(o.max_users >= 1 && o.max_users <= (1u << 20), "fair_by.max_users", "1 to 1048576");
        return o;
    }
    [[nodiscard]] std::uint32_t& head_of(std::uint64_t key) noexcept { return heads_[key & (heads_.size() - 1)]; }
    [[nodiscard]] std::uint32_t find(std::uint64_t key) noexcept
    {
        std::uint32_t i = head_of(key);
        while (i != none && lines_[i].key != key) i = lines_[i].next;
        return i;
    }
    std::uint32_t begin(std::uint64_t key) noexcept
    {
        if (free_ == none) return shared_line;
        std::uint32_t const i = std::exchange(free_, lines_[free_].next);
        lines_[i].key = key;
        lines_[i].next = std::exchange(head_of(key), i);
        return i;
    }
    void give_back(std::uint32_t i) noexcept { lines_[i].next = std::exchange(free_, i); }
    void put_last(std::uint32_t i) noexcept
    {
        if (turn_ == none) {
            turn_ = lines_[i].before = lines_[i].behind = i;
            return;
        }
        std::uint32_t const last = lines_[turn_].before;
        lines_[i].before = last;
        lines_[i].behind = turn_;
        lines_[last].behind = lines_[turn_].before = i;
    }
    void take_out(waiter& w) noexcept
    {
        line& mine = lines_[w.note.line];
        mine.calls.remove(w);
        if (mine.calls.empty()) end(w.note.line);
    }
    // Nobody of the line waits any more.
    void end(std::uint32_t i) noexcept
    {
        line& mine = lines_[i];
        if (mine.behind == i)
            turn_ = none;
        else {
            if (turn_ == i) turn_ = mine.behind;
            lines_[mine.before].behind = mine.behind;
            lines_[mine.behind].before = mine.before;
        }
        if (i == shared_line) return;
        std::uint32_t* at = &head_of(mine.key);
        while (*at != i) at = &lines_[*at].next;
        *at = mine.next;
        give_back(i);
    }

    [[no_unique_address]] KeyOf key_of_;
    detail::seeded_hash hash_;
    std::vector<line> lines_;
    std::vector<std::uint32_t> heads_;
    std::uint32_t turn_ = none; // whose turn is next
    std::uint32_t free_ = none;
};
template<class KeyOf>
fair_by(KeyOf, fair_by_options = {}) -> fair_by<KeyOf>;

} // namespace weir::inline v0
