// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/hmac.hpp>
#include <weir/sign/secret.hpp>
#include <weir/sign/timestamp.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// An access key of AWS Signature Version 4.
struct sigv4_key {
    std::string id;                          ///< the access key's name; letters and digits, not empty
    secret<> key;                            ///< its secret; at least 16 bytes
    std::string session_token{};             ///< of temporary credentials; empty: none
    wall_time not_before = wall_time::min(); ///< valid from this time on
    wall_time not_after = wall_time::max();  ///< valid before this time
};

/// Access keys by name, replaced as a whole while others use them; as `message_keys` otherwise. The key for a day, a region and a service is made anew
/// for each message: four short HMACs.
template<threading_model Threading = shared>
class sigv4_keys {
public:
    using threading = Threading;

    /// Throws `std::invalid_argument` for a bad name, one that stands twice, a short secret, a key that is never valid.
    explicit sigv4_keys(std::vector<sigv4_key> keys = {}) : keys_(checked(std::move(keys))) {}

    /// Uses these keys and no others from now on. If they are refused, as by the constructor, the present ones stay.
    void replace(std::vector<sigv4_key> keys)
    {
        share fresh = checked(std::move(keys));
        std::lock_guard const lock(mutex_);
        keys_.swap(fresh);
    }

    /// The key of that name if it is valid at `now`; null if it is not. Of no name: the one to sign with, which became valid last.
    [[nodiscard]] std::shared_ptr<sigv4_key const> find(std::string_view id, wall_time now) const
    {
        share const keys = current();
        sigv4_key const* best = nullptr;
        for (sigv4_key const& k : *keys) {
            if ((!id.empty() && k.id != id) || now < k.not_before || now >= k.not_after) continue;
            if (best == nullptr || k.not_before > best->not_before) best = &k;
        }
        return best == nullptr ? nullptr : std::shared_ptr<sigv4_key const>(keys, best);
    }

    /// The code of `text` by a key, for the scope `date/region/service/aws4_request`.
    [[nodiscard]] static sha256_digest sign(sigv4_key const& k, std::string_view date, std::string_view region, std::string_view service,
                                            std::string_view text)
    {
        secret<> first("AWS4" + k.key.reveal());
        secret<sha256_digest> key(hmac_sha256(first)(date));
        for (std::string_view const step : {region, service, std::string_view("aws4_request")}) key = secret(hmac_sha256(key)(step));
        return hmac_sha256(key)(text);
    }

private:
    using share = std::shared_ptr<std::vector<sigv4_key> const>;

    static share checked(std::vector<sigv4_key> keys)
    {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            sigv4_key const& k = keys[i];
            bool const plain = std::ranges::all_of(
                k.id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
            expect(!k.id.empty() && plain, "sigv4_key::id", "letters and digits");
            expect(k.key.size() >= 16, "sigv4_key::key", "at least 16 bytes");
            expect(k.not_before < k.not_after, "sigv4_key::not_after", "a time after not_before");
            for (std::size_t j = 0; j < i; ++j) expect(keys[j].id != k.id, "sigv4_key::id", "each name once");
        }
        return std::make_shared<std::vector<sigv4_key> const>(std::move(keys));
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
