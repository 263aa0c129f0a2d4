// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/hmac.hpp>
#include <weir/sign/secret.hpp>
#include <weir/sign/timestamp.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// A key that an app signs with.
struct signing_key {
    std::string app;                         ///< who signs with it; not empty
    secret<> key;                            ///< at least 16 bytes
    wall_time not_before = wall_time::min(); ///< valid from this time on
    wall_time not_after = wall_time::max();  ///< valid before this time
};

/// What a key ring says to a code.
enum class key_verdict : std::uint8_t {
    right,   ///< a valid key of the app made it
    wrong,   ///< no valid key of the app made it
    unknown, ///< the app has no key that is valid now
};

/// Keys for HMAC-SHA256 by app, replaced as a whole while others use them.
///
/// Rotation: an app may have several valid keys, up to eight. The one that became valid last signs (of two from the same time, the one
/// listed last); all of them verify. So a new key is first added everywhere with a `not_before` to come, and the old one is taken out
/// once nobody signs with it. Whether a key is valid is judged by the clock of whoever signs or verifies: let the old one end later than
/// the new one begins, by the window of time and the clocks' difference.
///
/// With `shared`, any thread may do anything at any time. A use holds a mutex only while it takes a share of the keys, about 30 ns beside
/// an HMAC of 340, and computes outside it: unlike a lock of readers (19 ns) it never keeps `replace` waiting. A use under way when the
/// keys are replaced ends with the old ones, which are overwritten when the last such use has ended. Look-up is a binary search and
/// allocates nothing. Memory: about 600 bytes a key.
template<threading_model Threading = shared>
class key_ring {
public:
    /// The most keys of one app: each costs a forged request one HMAC.
    static constexpr std::size_t max_keys_an_app = 8;

    /// Throws `std::invalid_argument` for an empty app, a short key, a key that is never valid, too many keys of one app.
    explicit key_ring(detail::slice<signing_key> keys) : keys_(prepare(keys)) {}
    /// The same from a braced list: `key_ring ring{{{.app = "shop", .key = secret{"..."}}}};`
    template<std::size_t Count>
    explicit key_ring(signing_key (&&keys)[Count]) : key_ring(detail::slice<signing_key>(keys))
    {
    }
    /// Knows nobody until `replace` is called.
    key_ring() : key_ring(detail::slice<signing_key>{}) {}

    /// Uses these keys and no others from now on. If they are refused, as by the constructor, the present ones stay.
    void replace(detail::slice<signing_key> keys)
    {
        share fresh = prepare(keys);
        std::lock_guard const lock(mutex_);
        keys_.swap(fresh);
    }

    /// The code of `message` by the app's newest key valid at `now`; nothing if there is none.
    [[nodiscard]] std::optional<sha256_digest> sign(std::string_view app, wall_time now, byte_view message) const
    {
        share const keys = current();
        for (prepared const& k : newest_first(*keys, app)) {
            if (k.valid(now)) return k.hmac(message);
        }
        return std::nullopt;
    }

    /// Whether any of the app's keys valid at `now` made `code` of `message`. Compares in constant time.
    [[nodiscard]] key_verdict verify(std::string_view app, wall_time now, byte_view message, byte_view code) const
    {
        share const keys = current();
        auto verdict = key_verdict::unknown;
        for (prepared const& k : newest_first(*keys, app)) {
            if (!k.valid(now)) continue;
            if (k.hmac.verify(message, code)) return key_verdict::right;
            verdict = key_verdict::wrong;
        }
        return verdict;
    }

    /// How many keys there are, valid or not.
    [[nodiscard]] std::size_t size() const { return current()->size(); }

private:
    struct prepared {
        std::string app;
        hmac_sha256 hmac;
        wall_time not_before, not_after;
        [[nodiscard]] bool valid(wall_time now) const noexcept { return not_before <= now && now < not_after; }
    };
    using share = std::shared_ptr<std::vector<prepared> const>;

    static share prepare(detail::slice<signing_key> keys)
    {
        std::vector<signing_key const*> order;
        order.reserve(keys.size());
        for (signing_key const& k : keys) {
            expect(!k.app.empty(), "signing_key::app", "a name");
            expect(k.key.size() >= 16, "signing_key::key", "at least 16 bytes");
            expect(k.not_before < k.not_after, "signing_key::not_after", "a time after not_before");
            order.push_back(&k);
        }
        // The newest first; of two from the same time, the one listed last.
        std::sort(order.begin(), order.end(), [](signing_key const* a, signing_key const* b) {
            if (a->app != b->app) return a->app < b->app;
            return a->not_before != b->not_before ? a->not_before > b->not_before : a > b;
        });
        std::vector<prepared> made;
        made.reserve(keys.size());
        for (signing_key const* k : order) made.push_back({k->app, hmac_sha256(k->key), k->not_before, k->not_after});
        for (std::size_t i = max_keys_an_app; i < made.size(); ++i) {
            expect(made[i].app != made[i - max_keys_an_app].app, "signing_key::app", "at most 8 keys of one app");
        }
        return std::make_shared<std::vector<prepared> const>(std::move(made));
    }
    static detail::slice<prepared> newest_first(std::vector<prepared> const& keys, std::string_view app) noexcept
    {
        auto const first =
            std::lower_bound(keys.begin(), keys.end(), app, [](prepared const& k, std::string_view name) { return k.app < name; });
        std::size_t size = 0; // at most eight
        for (auto at = first; at != keys.end() && at->app == app; ++at) ++size;
        return {keys.data() + (first - keys.begin()), size};
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
