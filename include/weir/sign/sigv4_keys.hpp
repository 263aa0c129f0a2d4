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

/// What an access key signs with on one day, in one region, for one service.
struct sigv4_day_key {
    std::shared_ptr<sigv4_key const> of;
    std::string scope; ///< `20150830/us-east-1/iam/aws4_request`
    hmac_sha256 code;

    sigv4_day_key(std::shared_ptr<sigv4_key const> key, std::string s, hmac_sha256 c)
        : of(std::move(key)), scope(std::move(s)), code(std::move(c))
    {
    }
};

/// Access keys by name, replaced as a whole while others use them; as `message_keys` otherwise. The keys made of them for a day, a region and a service
/// are kept, the eight last ones, until the access keys are replaced. Memory: about 700 bytes each.
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
        std::array<day_share, kept_days> old{};
        std::lock_guard const lock(mutex_);
        keys_.swap(fresh);
        days_.swap(old); // what was there ends outside the lock
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

    /// The key made of `key` for a scope `date/region/service/aws4_request`: one that is kept, or else made now, of four short HMACs.
    [[nodiscard]] std::shared_ptr<sigv4_day_key const> day_key(std::shared_ptr<sigv4_key const> const& key, std::string_view scope) const
    {
        {
            std::lock_guard const lock(mutex_);
            for (day_share const& kept : days_)
                if (kept != nullptr && kept->of == key && kept->scope == scope) return kept;
        }
        secret<> const first("AWS4" + key->key.reveal());
        secret<sha256_digest> made;
        bool begun = false;
        for (std::string_view rest = scope; !rest.empty();) {
            std::string_view const step = rest.substr(0, rest.find('/'));
            rest.remove_prefix(std::min(step.size() + 1, rest.size()));
            made = secret(begun ? hmac_sha256(made)(step) : hmac_sha256(first)(step));
            begun = true;
        }
        return std::make_shared<sigv4_day_key const>(key, std::string(scope), hmac_sha256(made));
    }
    /// Keeps it for the next messages, in place of the oldest of eight. For keys that a right signature was made with: who makes up days pushes none out.
    void keep(std::shared_ptr<sigv4_day_key const> made) const
    {
        std::lock_guard const lock(mutex_);
        bool const is_current = !keys_.owner_before(made->of) && !made->of.owner_before(keys_); // replaced meanwhile, it is not to come back
        for (day_share const& kept : days_)
            if (!is_current || kept == made) return;
        made.swap(days_[next_]);
        next_ = (next_ + 1) % days_.size();
    }

private:
    using share = std::shared_ptr<std::vector<sigv4_key> const>;
    using day_share = std::shared_ptr<sigv4_day_key const>;

    static share checked(std::vector<sigv4_key> keys)
    {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            sigv4_key const& k = keys[i];
            bool const plain = std::all_of(k.id.begin(), k.id.end(), [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            });
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

    static constexpr std::size_t kept_days = 8;

    mutable typename Threading::mutex mutex_;
    share keys_;
    mutable std::array<day_share, kept_days> days_{};
    mutable std::size_t next_ = 0;
};

} // namespace weir::inline v0
