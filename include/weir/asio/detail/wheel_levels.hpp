// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weir::inline v0::detail {

/// An alarm that lies in its owner's frame. When its time has come, `expire` is called once: it hands the news over to the owner's
/// executor and does not block. The owner disarms it before it goes.
struct wheel_entry {
    enum state_type : std::uint8_t { idle, armed, expiring, expired };

    void (*expire)(wheel_entry&) noexcept = nullptr;
    /// Called instead when the wheel ends: what waits for the alarm gives up. May be null.
    void (*abandon)(wheel_entry&) noexcept = nullptr;
    wheel_entry* before = nullptr;
    wheel_entry* behind = nullptr;
    std::uint64_t tick = 0;
    std::uint8_t level = 0;
    std::uint8_t slot = 0;
    std::uint8_t shard = 0;
    std::atomic<state_type> state{idle};
};

/// Entries by their tick, on levels of 64 slots each, a slot of level n spanning 64^n ticks (G. Varghese, A. Lauck, "Hashed and
/// hierarchical timing wheels", SOSP 1987). Linking in and out are a few instructions, whatever the number of entries. Not thread-safe; it
/// owns nothing.
class wheel_levels {
public:
    static constexpr std::uint64_t nothing = ~std::uint64_t{0};

    /// Links the entry in for its tick; `current` is the present one.
    void link(wheel_entry& e, std::uint64_t current) noexcept
    {
        if (size_++ == 0) now_ = std::max(now_, current);
        place(e);
    }
    void unlink(wheel_entry& e) noexcept
    {
        --size_;
        if (e.behind != nullptr) e.behind->before = e.before;
        if (e.before != nullptr)
            e.before->behind = e.behind;
        else if ((slots_[e.level][e.slot] = e.behind) == nullptr)
            full_[e.level] &= ~bit(e.slot);
    }
    /// The tick at which there is something to do; never later than the tick of any entry.
    [[nodiscard]] std::uint64_t next() const noexcept
    {
        for (unsigned level = 0; level < levels; ++level)
            if (full_[level] != 0) {
                std::uint64_t const turn = now_ >> (level * bits);
                std::uint64_t const ahead = std::rotr(full_[level], static_cast<int>(turn % slots));
                return (turn + static_cast<unsigned>(std::countr_zero(ahead))) << (level * bits);
            }
        return nothing;
    }
    /// Takes out what is due at `tick` and gives it to `due`.
    template<class F>
    void advance(std::uint64_t tick, F&& due) noexcept
    {
        for (std::uint64_t at = next(); at <= tick; at = next()) {
            now_ = std::max(now_, at);
            unsigned level = 0;
            while (full_[level] == 0) ++level;
            std::size_t const slot = (at >> (level * bits)) % slots;
            full_[level] &= ~bit(slot);
            for (wheel_entry* e = std::exchange(slots_[level][slot], nullptr); e != nullptr;) {
                wheel_entry* const behind = e->behind;
                if (e->tick <= now_) {
                    --size_;
                    due(*e);
                } else
                    place(*e);
                e = behind;
            }
        }
        now_ = std::max(now_, tick);
    }
    /// Takes everything out and gives it to `f`, which may free it.
    template<class F>
    void drain(F&& f) noexcept
    {
        for (auto& level : slots_)
            for (wheel_entry*& slot : level)
                while (slot != nullptr) { // one by one: `f` may take out or destroy any other
                    wheel_entry& e = *slot;
                    unlink(e);
                    f(e);
                }
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    static constexpr unsigned bits = 6;
    static constexpr unsigned levels = 6;
    static constexpr std::size_t slots = 1u << bits;

    static constexpr std::uint64_t bit(std::size_t slot) noexcept { return std::uint64_t{1} << slot; }

    void place(wheel_entry& e) noexcept
    {
        // At most 63 slots of the top level ahead: the 64th would be the present one again.
        std::uint64_t const furthest = now_ + ((slots - 1) << (bits * (levels - 1)));
        std::uint64_t const tick = std::clamp(e.tick, now_ + 1, furthest);
        unsigned const level = std::min(levels - 1, (static_cast<unsigned>(std::bit_width(tick ^ now_)) - 1) / bits);
        e.level = static_cast<std::uint8_t>(level);
        e.slot = static_cast<std::uint8_t>((tick >> (level * bits)) % slots);
        e.before = nullptr;
        e.behind = std::exchange(slots_[level][e.slot], &e);
        if (e.behind != nullptr) e.behind->before = &e;
        full_[level] |= bit(e.slot);
    }

    std::uint64_t now_ = 0;
    std::size_t size_ = 0;
    std::array<std::uint64_t, levels> full_{};
    std::array<std::array<wheel_entry*, slots>, levels> slots_{};
};

} // namespace weir::inline v0::detail
