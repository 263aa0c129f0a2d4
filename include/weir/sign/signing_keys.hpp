// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/sign/timestamp.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// The keys that an issuer signs with, one after the other: of those whose time has come, the one that came last. At most eight.
///
/// Rotation with overlap: publish the new public key under its name, `add` the signer with a time by which all who verify have fetched it, and let the
/// old public key stand until the last token that was signed with it has expired; `retire` takes the old signer out. With `shared` any thread may do anything at any time; signing holds
/// no lock, and a key that is retired lives until its last use has ended.
template<threading_model Threading = shared>
class signing_keys {
public:
    static constexpr std::size_t max_keys = 8;

    /// Signs with this key from the beginning.
    explicit signing_keys(jws_signer first) { add(std::move(first), wall_time::min()); }

    /// Signs with this key from `from` on. Throws `std::invalid_argument` if there are eight, or for a key without a name of its own beside others.
    void add(jws_signer next, wall_time from)
    {
        auto fresh = std::make_shared<jws_signer const>(std::move(next));
        std::lock_guard const lock(mutex_);
        expect(keys_.size() < max_keys, "signing_keys", "at most 8 keys");
        for (entry const& each : keys_)
            expect(!fresh->kid().empty() && !each.key->kid().empty() && each.key->kid() != fresh->kid(), "signing_keys",
                   "keys with a name of their own each");
        auto const later = std::find_if(keys_.begin(), keys_.end(), [&](entry const& each) { return each.from > from; });
        keys_.insert(later, {std::move(fresh), from});
    }
    /// Takes the key of this name out. False, and nothing changes, if there is none or it is the only one.
    bool retire(std::string_view kid)
    {
        std::lock_guard const lock(mutex_);
        auto const at = std::find_if(keys_.begin(), keys_.end(), [&](entry const& each) { return each.key->kid() == kid; });
        if (at == keys_.end() || keys_.size() == 1) return false;
        keys_.erase(at);
        return true;
    }
    /// The key to sign with now; the first one if the time of none has come.
    [[nodiscard]] std::shared_ptr<jws_signer const> current(wall_time now) const
    {
        std::lock_guard const lock(mutex_);
        auto at = keys_.rbegin();
        while (at + 1 != keys_.rend() && at->from > now) ++at;
        return at->key;
    }
    [[nodiscard]] std::size_t size() const
    {
        std::lock_guard const lock(mutex_);
        return keys_.size();
    }

private:
    struct entry {
        std::shared_ptr<jws_signer const> key;
        wall_time from;
    };
    mutable typename Threading::mutex mutex_;
    std::vector<entry> keys_; // never empty; by time, of one time the later added behind
};

signing_keys(jws_signer)->signing_keys<>;

} // namespace weir::inline v0
