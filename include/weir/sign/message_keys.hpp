// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/signature_key.hpp>
#include <weir/sign/timestamp.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// A key and the name by which messages refer to it.
struct message_key {
    std::string id;                          ///< the parameter `keyid`; not empty, printable ASCII
    signature_key key;                       ///< its algorithm with it
    wall_time not_before = wall_time::min(); ///< valid from this time on
    wall_time not_after = wall_time::max();  ///< valid before this time
};

/// Keys for signed messages by name, replaced as a whole while others use them.
///
/// Rotation: a new key has a new name. It is first added everywhere with a `not_before` to come, and the old one is taken out once nobody signs
/// with it: what overlaps is verified by either. Of the keys that can sign, the one that became valid last does (of two from the same time, the
/// first by name). Validity is judged by the clock of whoever signs or verifies.
///
/// With `shared`, any thread may do anything at any time: a use holds a mutex only while it takes a share of the keys. Look-up is a binary search.
template<threading_model Threading = shared>
class message_keys {
public:
    using threading = Threading;

    /// Throws `std::invalid_argument` for a name that is empty, not printable or stands twice, or a key that is never valid.
    explicit message_keys(std::vector<message_key> keys) : keys_(checked(std::move(keys))) {}
    /// Knows nobody until `replace` is called.
    message_keys() : message_keys(std::vector<message_key>{}) {}

    /// Uses these keys and no others from now on. If they are refused, as by the constructor, the present ones stay.
    void replace(std::vector<message_key> keys)
    {
        share fresh = checked(std::move(keys));
        std::lock_guard const lock(mutex_);
        keys_.swap(fresh);
    }

    /// The key of that name if it is valid at `now`.
    [[nodiscard]] std::optional<signature_key> find(std::string_view id, wall_time now) const
    {
        share const keys = current();
        message_key const *at = keys->data(), *const end = at + keys->size();
        at = std::lower_bound(at, end, id, [](message_key const& k, std::string_view name) { return k.id < name; });
        if (at == end || at->id != id || !valid(*at, now)) return std::nullopt;
        return at->key;
    }
    /// The key to sign with at `now`: the newest valid one that can; of that name, if one is given.
    [[nodiscard]] std::optional<message_key> signer(wall_time now, std::string_view id = {}) const
    {
        share const keys = current();
        message_key const* best = nullptr;
        for (message_key const *k = keys->data(), *const end = k + keys->size(); k != end; ++k) {
            if (!k->key.can_sign() || !valid(*k, now) || (!id.empty() && k->id != id)) continue;
            if (best == nullptr || k->not_before > best->not_before) best = k;
        }
        if (best == nullptr) return std::nullopt;
        return *best;
    }
    /// How many keys there are, valid or not.
    [[nodiscard]] std::size_t size() const { return current()->size(); }

private:
    using share = std::shared_ptr<std::vector<message_key> const>;

    static bool valid(message_key const& k, wall_time now) noexcept { return k.not_before <= now && now < k.not_after; }
    static share checked(std::vector<message_key> keys)
    {
        for (message_key const& k : keys) {
            expect(!k.id.empty() && std::all_of(k.id.begin(), k.id.end(), [](char c) { return c >= 0x20 && c < 0x7f; }), "message_key::id",
                   "a name in printable ASCII");
            expect(k.not_before < k.not_after, "message_key::not_after", "a time after not_before");
        }
        std::sort(keys.begin(), keys.end(), [](message_key const& a, message_key const& b) { return a.id < b.id; });
        for (std::size_t i = 1; i < keys.size(); ++i) expect(keys[i - 1].id != keys[i].id, "message_key::id", "each name once");
        return std::make_shared<std::vector<message_key> const>(std::move(keys));
    }
    share current() const
    {
        std::lock_guard const lock(mutex_);
        return keys_;
    }

    mutable typename Threading::mutex mutex_;
    share keys_;
};

} // namespace weir::inline v0
