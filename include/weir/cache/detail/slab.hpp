// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/growing_array.hpp>
#include <weir/cache/detail/short_span.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/threading.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// What a cache keeps beside key, value and expiry: one word. The lowest bit of the hash, which nobody needs to find a key, says whether
/// the entry was hit: a hit looks at this word anyway.
struct entry_notes {
    static constexpr std::uint32_t hit = 1;

    written_spans spans;
    std::uint32_t mark = 0;

    [[nodiscard]] std::uint32_t hash() const noexcept { return mark & ~hit; }
    [[nodiscard]] bool visited() const noexcept { return (mark & hit) != 0; }
};
static_assert(sizeof(entry_notes) == 8 && std::is_trivially_copyable_v<entry_notes>);

/// Such a word. Setting its bit never brings back what a writer wrote over meanwhile.
template<threading_model Threading>
using notes_cell = typename Threading::template cell<std::uint64_t>;

[[nodiscard, gnu::always_inline]] inline entry_notes notes_of(std::uint64_t word) noexcept
{
    return std::bit_cast<entry_notes>(word);
}
template<class Cell>
[[gnu::noinline, gnu::cold]] void set_visited(Cell& word, entry_notes seen) noexcept
{
    auto expected = std::bit_cast<std::uint64_t>(seen);
    seen.mark |= entry_notes::hit;
    word.replace(expected, std::bit_cast<std::uint64_t>(seen), std::memory_order_relaxed);
}
/// For the writer: a hit that comes meanwhile may be forgotten, too.
template<class Cell>
void forget_visit(Cell& word) noexcept
{
    entry_notes seen = notes_of(word.load());
    seen.mark = seen.hash();
    word.store(std::bit_cast<std::uint64_t>(seen));
}

/// What a cache keeps of a key.
template<class Key, class Value>
struct cache_entry {
    Key key;
    Value value;
    time_point expiry;
    entry_notes notes;
};

/// The bits of a value, as `word_slab::bits` gives them.
template<class Value>
struct alignas(std::uint64_t) word_aligned {
    Value value;
};
template<class Value>
using bits_of = std::array<std::uint64_t, sizeof(word_aligned<Value>) / sizeof(std::uint64_t)>;

/// Fixed storage for `slots` entries of any type, constructed on `write` and destroyed on `drop`. Its owner drops what it wrote. Of an
/// entry nothing but whether it was hit changes while it is there.
template<class Key, class Value, threading_model Threading>
class object_slab {
    struct kept {
        Key key;
        Value value;
        time_point expiry;
        notes_cell<Threading> notes;
    };

public:
    using entry = cache_entry<Key, Value>;

    explicit object_slab(std::size_t slots) : cells_(new cell[slots]) {}

    /// One entry, found once to read several of its members.
    class view {
    public:
        [[nodiscard]] Key const& key() const noexcept { return in_->key; }
        [[nodiscard]] Value const& value() const noexcept { return in_->value; }
        [[nodiscard]] time_point expiry() const noexcept { return in_->expiry; }
        [[nodiscard]] entry_notes notes() const noexcept { return notes_of(in_->notes.load()); }
        /// Notes a hit of what had these notes.
        [[gnu::always_inline]] void touch(entry_notes seen) const noexcept
        {
            if (!seen.visited()) [[unlikely]]
                set_visited(in_->notes, seen);
        }
        void forgive() const noexcept { forget_visit(in_->notes); }

    private:
        friend object_slab;
        explicit view(kept& in) noexcept : in_(&in) {}
        kept* in_;
    };
    [[nodiscard, gnu::always_inline]] view at(std::size_t slot) const noexcept { return view(in(slot)); }

    void write(std::size_t at, entry&& e) noexcept
    {
        ::new (static_cast<void*>(cells_[at].bytes))
            kept{std::move(e.key), std::move(e.value), e.expiry, notes_cell<Threading>(std::bit_cast<std::uint64_t>(e.notes))};
    }
    /// For the owner, of what nobody finds any more.
    [[nodiscard]] Value& leaving(std::size_t at) noexcept { return in(at).value; }
    void drop(std::size_t at) noexcept { std::destroy_at(&in(at)); }

    /// Room for `slots`. Nobody may look at it meanwhile. `each(move)` calls `move(at)` for each slot in which there is an entry.
    template<class Each>
    void grow(std::size_t slots, Each&& each)
    {
        object_slab longer(slots);
        each([&](std::size_t at) {
            ::new (static_cast<void*>(longer.cells_[at].bytes)) kept(std::move(in(at)));
            drop(at);
        });
        cells_ = std::move(longer.cells_);
    }

private:
    struct cell {
        alignas(kept) std::byte bytes[sizeof(kept)];
    };
    kept& in(std::size_t at) const noexcept { return *std::launder(reinterpret_cast<kept*>(cells_[at].bytes)); }

    owner<cell[]> cells_;
};

/// The same for entries that are plain bits, kept in atomic words: a thread may read beside a writer, and has to check afterwards that
/// there was none (Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012). The words are read with
/// acquire and written with release order, so that no stand-alone fence is needed. Each member has words of its own, so that one that
/// fits into a word is read into a register.
template<class Key, class Value, threading_model Threading>
class word_slab {
    static_assert(std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value>);
    using cell = typename growing_array<std::uint64_t, Threading>::cell;

public:
    using entry = cache_entry<Key, Value>;

    explicit word_slab(std::size_t slots) : words_(slots * width) {}

    /// One entry, found once to read several of its members, which may be torn.
    class view {
    public:
        [[nodiscard, gnu::always_inline]] Key key() const noexcept { return load<Key>(from_ + key_at); }
        [[nodiscard]] Value value() const noexcept { return value_of(bits()); }
        [[nodiscard, gnu::always_inline]] bits_of<Value> bits() const noexcept { return load_words<Value>(from_ + value_at); }
        [[nodiscard, gnu::always_inline]] time_point expiry() const noexcept { return load<time_point>(from_ + expiry_at); }
        [[nodiscard, gnu::always_inline]] entry_notes notes() const noexcept { return load<entry_notes>(from_ + notes_at); }
        /// Notes a hit of what had these notes.
        [[gnu::always_inline]] void touch(entry_notes seen) const noexcept
        {
            if (!seen.visited()) [[unlikely]]
                set_visited(from_[notes_at], seen);
        }
        void forgive() const noexcept { forget_visit(from_[notes_at]); }

    private:
        friend word_slab;
        explicit view(cell* from) noexcept : from_(from) {}
        cell* from_;
    };
    [[nodiscard, gnu::always_inline]] view at(std::size_t slot) const noexcept { return view(words_.words() + slot * width); }
    /// The value of bits that are not torn.
    [[nodiscard]] static Value value_of(bits_of<Value> const& bits) noexcept { return std::bit_cast<aligned<Value>>(bits).value; }

    void write(std::size_t at, entry&& e) noexcept
    {
        store(at * width + key_at, e.key);
        store(at * width + value_at, e.value);
        store(at * width + expiry_at, e.expiry);
        store(at * width + notes_at, e.notes);
    }
    void drop(std::size_t) noexcept {}

    template<class Each>
    void grow(std::size_t slots, Each&&)
    {
        words_.grow(slots * width);
    }

private:
    template<class T>
    using aligned = word_aligned<T>;
    template<class T>
    using words = bits_of<T>;
    template<class T>
    static constexpr std::size_t words_of = std::tuple_size_v<words<T>>;

    static constexpr std::size_t key_at = 0;
    static constexpr std::size_t expiry_at = key_at + words_of<Key>;
    static constexpr std::size_t value_at = expiry_at + 1;
    static constexpr std::size_t notes_at = value_at + words_of<Value>;
    static constexpr std::size_t width = notes_at + 1;

    template<class T>
    [[gnu::always_inline]] static T load(cell const* from) noexcept
    {
        return std::bit_cast<aligned<T>>(load_words<T>(from)).value;
    }
    template<class T>
    [[gnu::always_inline]] static words<T> load_words(cell const* from) noexcept
    {
        words<T> read;
        for (std::size_t i = 0; i < read.size(); ++i) read[i] = from[i].load(std::memory_order_acquire);
        return read;
    }
    template<class T>
    void store(std::size_t first, T const& value) noexcept
    {
        words<T> written{};
        std::memcpy(written.data(), &value, sizeof value);
        for (std::size_t i = 0; i < written.size(); ++i) words_[first + i].store(written[i], std::memory_order_release);
    }

    growing_array<std::uint64_t, Threading> words_;
};

} // namespace weir::inline v0::detail
