// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/checked_file.hpp>
#include <weir/cache/snapshot_codec.hpp>
#include <weir/cache/store_write.hpp>
#include <weir/core/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// What became of the entries of a snapshot.
struct snapshot_restored {
    std::size_t restored = 0; ///< values and negative answers kept again, for the time that they had left
    std::size_t absent = 0;   ///< of those, the negative answers
    std::size_t expired = 0;  ///< out of date by now
    std::size_t refused = 0;  ///< not kept by the store: too heavy, say, or negative with a `negative_ttl` of zero
};

namespace detail {

inline constexpr file_kind snapshot_kind{
    {'w', 'e', 'i', 'r', 's', 't', 'o', '\n'}, 2, "a snapshot of a store", 1}; // 1: no negative answers

struct snapshot_head {
    std::uint32_t key_version;
    std::uint32_t value_version;
    std::int64_t saved_at; ///< nanoseconds of the system's clock
};
struct snapshot_entry {
    static constexpr std::uint32_t end = ~std::uint32_t{0};
    static constexpr std::uint32_t absent = end;
    std::uint32_t key_size;   ///< or `end`; then `value_size` is 0 and `left` is the number of entries
    std::uint32_t value_size; ///< or `absent`: a negative answer
    std::int64_t left;
    std::int64_t took;
};

template<class Key, class Value>
class snapshot_reader {
public:
    explicit snapshot_reader(std::string const& path) : in_(path, snapshot_kind), head_(in_.get<snapshot_head>())
    {
        if (head_.key_version != snapshot_codec<Key>::version) in_.fail("has keys of another kind");
        if (head_.value_version != snapshot_codec<Value>::version) in_.fail("has values of another kind");
    }
    [[nodiscard]] std::chrono::nanoseconds saved_at() const noexcept { return std::chrono::nanoseconds(head_.saved_at); }

    /// Calls `f(key, value, entry)` for each, with an empty optional for the value of a negative answer; what is no entry is an error
    /// before the next one is looked at.
    template<class F>
    void for_each(F&& f)
    {
        in_.again();
        head_ = in_.get<snapshot_head>();
        for (std::int64_t count = 0;; ++count) {
            auto const entry = in_.get<snapshot_entry>();
            if (entry.key_size == snapshot_entry::end) {
                if (entry.left != count || in_.left() != 0) in_.fail("is damaged: the number of its entries is wrong");
                return;
            }
            std::optional<Key> key = decoded<Key>(entry.key_size, "key");
            std::optional<Value> value;
            if (entry.value_size != snapshot_entry::absent) value = decoded<Value>(entry.value_size, "value");
            f(*std::move(key), std::move(value), entry);
        }
    }

private:
    template<class T>
    std::optional<T> decoded(std::size_t size, std::string_view what)
    {
        if (size > in_.left()) in_.fail("is damaged: it ends within an entry");
        buffer_.resize(size);
        in_.read(buffer_.data(), size);
        std::optional<T> made = snapshot_codec<T>::decode(buffer_);
        if (!made) in_.fail("has a " + std::string(what) + " that its codec refuses");
        return made;
    }

    file_reader in_;
    snapshot_head head_;
    std::string buffer_;
};

} // namespace detail

/// Saves the values and negative answers of a store that are good at `now`, with the time that each has left, so that a service that is
/// started anew is not cold: beside the old file, which it replaces when it is whole and on the disk. Returns how many there are.
///
/// What is written meanwhile is in the file or not. Memory: a copy of one part of the store at a time, and 64 KiB. `wall` is the time by
/// the system's clock. Throws `file_error` that names the file and what is wrong, or what a codec throws; then the old file is as it was.
template<class Store>
std::size_t save_store(Store const& store, std::string const& path, time_point now,
                       std::chrono::system_clock::time_point wall = std::chrono::system_clock::now())
{
    using key_codec = snapshot_codec<typename Store::key_type>;
    using value_codec = snapshot_codec<typename Store::value_type>;
    detail::file_writer out(path, detail::snapshot_kind);
    out.put(detail::snapshot_head{key_codec::version, value_codec::version,
                                  std::chrono::duration_cast<std::chrono::nanoseconds>(wall.time_since_epoch()).count()});
    std::int64_t count = 0;
    std::string key;
    std::string value;
    auto const put = [&](std::uint32_t value_size, duration left, duration took) {
        if (std::max(key.size(), value.size()) >= detail::snapshot_entry::end)
            throw file_error(path, "cannot hold a key or value of 4 GiB");
        out.put(detail::snapshot_entry{static_cast<std::uint32_t>(key.size()), value_size, left.count(), took.count()});
        out.write(key.data(), key.size());
        out.write(value.data(), value.size());
        ++count;
    };
    store.for_each(now, [&](auto const& entry) {
        key.clear();
        value.clear();
        key_codec::encode(entry.key, key);
        value_codec::encode(entry.value, value);
        put(static_cast<std::uint32_t>(value.size()), entry.left, entry.took);
    });
    value.clear();
    store.for_each_absent(now, [&](auto const& absent, duration left) {
        key.clear();
        key_codec::encode(absent, key);
        put(detail::snapshot_entry::absent, left, duration::zero());
    });
    out.put(detail::snapshot_entry{detail::snapshot_entry::end, 0, count, 0});
    out.commit();
    return static_cast<std::size_t>(count);
}

/// Puts the values and negative answers of a snapshot back into a store, each for the time that it still has left: what has passed by the
/// system's clock since it was saved, `wall` being the time of now, is taken off, and what is out of date by then is left out. If that
/// clock went back, nothing is taken off.
///
/// The file is read three times: to see whether it is whole, whether each entry can be decoded, and to restore. Nothing is restored of one
/// that is not. Memory: 64 KiB and one entry. Throws `file_error` that names the file and what is wrong with it.
template<class Store>
snapshot_restored load_store(Store& store, std::string const& path, time_point now,
                             std::chrono::system_clock::time_point wall = std::chrono::system_clock::now())
{
    detail::snapshot_reader<typename Store::key_type, typename Store::value_type> in(path);
    in.for_each([](auto&&...) {});
    duration const passed =
        std::max(std::chrono::duration_cast<std::chrono::nanoseconds>(wall.time_since_epoch()) - in.saved_at(), duration::zero());
    snapshot_restored all;
    in.for_each([&](auto&& key, auto&& value, detail::snapshot_entry const& entry) {
        duration const had{entry.left};
        duration const left = had == duration::max() ? had : had - passed;
        store_write const how{.left = left, .took = duration{entry.took}};
        if (left.count() <= 0)
            ++all.expired;
        else if (value ? store.put(std::move(key), *std::move(value), now, how) : store.put_absent(std::move(key), now, how)) {
            ++all.restored;
            all.absent += value ? 0 : 1;
        } else
            ++all.refused;
    });
    return all;
}

} // namespace weir::inline v0
