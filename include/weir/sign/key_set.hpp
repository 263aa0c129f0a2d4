// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/jwk.hpp>
#include <weir/sign/jws_key.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct key_set_options {
    std::vector<jws_algorithm> algorithms{}; ///< what keys may be for; has no default: one at least
    std::size_t max_keys = 64;               ///< keys in a set; 1 to 1000
    std::size_t max_bytes = 262'144;         ///< the longest text of a set
};

/// The keys of one issuer, by name (`kid`), replaced as a whole while others use them: a JSON Web Key Set (RFC 7517 section 5), or keys
/// made in code. `key_set keys{text, {.algorithms = {jws_algorithm::rs256}}};`
///
/// A token names its key. Of several keys none is guessed: a token without `kid` has a key only where the set has just one. A key
/// without a name stands alone in its set, and tokens that name one do not mean it. Two keys of one name are none: whoever adds a key
/// under a name that is taken must not speak for it.
///
/// As RFC 7517 says, a key that cannot be used (for encryption, of an algorithm that is not allowed, too short, malformed) is left out and does
/// not spoil the set; `left_out()` says which and why, never their bytes.
///
/// Rotation: the new key is published before anything is signed with it, and the old one stays until the last token that it signed has expired.
/// `replace` takes effect at once, also for verdicts that are remembered. With `shared` any thread may do anything at any time; a look-up
/// takes a share of the keys under a mutex, about 30 ns.
template<threading_model Threading = shared>
class key_set {
public:
    /// Reads a set of keys. Throws `std::invalid_argument` if the text is none, or has more keys than allowed. A set without any usable
    /// key is no error: nothing verifies.
    explicit key_set(std::string_view jwks, key_set_options options) : options_(std::move(options))
    {
        expect(!options_.algorithms.empty(), "key_set.algorithms", "one at least");
        expect(options_.max_keys >= 1 && options_.max_keys <= 1000, "key_set.max_keys", "1 to 1000");
        expect(options_.max_bytes >= 1 && options_.max_bytes <= 1 << 24, "key_set.max_bytes", "1 to 2^24");
        keys_ = read(jwks);
    }
    /// Keys made in code: `key_set{rs256{pem, "a"}, es256{other, "b"}}`. All have names, if there are several, and no two the same.
    template<class... Keys>
    requires(sizeof...(Keys) > 0 && (std::derived_from<Keys, jws_key> && ...)) explicit key_set(Keys... keys)
        : options_{.algorithms = {keys.algorithm()...}}
    {
        auto made = std::make_shared<contents>();
        made->keys.reserve(sizeof...(Keys));
        (made->keys.push_back(std::move(static_cast<jws_key&>(keys))), ...);
        index(*made);
        expect(made->left_out.empty(), "key_set", "keys with a name each");
        keys_ = std::move(made);
    }

    /// Uses these keys and no others from now on. If they are refused, as by the constructor, the present ones stay.
    void replace(std::string_view jwks)
    {
        share fresh = read(jwks);
        std::lock_guard const lock(mutex_);
        keys_.swap(fresh);
        version_.store(version_.load() + 1, std::memory_order_release);
    }

    /// Uses the keys of another set from now on, keys made in code, for one; a later text is read as before.
    void replace(key_set const& other)
    {
        share fresh = other.current();
        std::lock_guard const lock(mutex_);
        keys_.swap(fresh);
        version_.store(version_.load() + 1, std::memory_order_release);
    }

    /// The key that a token means by this name, or by none; null if there is none. It lives as long as the pointer.
    [[nodiscard]] std::shared_ptr<jws_key const> find(std::optional<std::string_view> kid) const
    {
        share keys = current();
        jws_key const* const found = keys->find(kid);
        return found == nullptr ? nullptr : std::shared_ptr<jws_key const>(std::move(keys), found);
    }
    /// Changes when keys are replaced: what was verified under another version is to be verified anew.
    [[nodiscard]] std::size_t version() const noexcept { return version_.load(std::memory_order_acquire); }

    /// How many keys can be found.
    [[nodiscard]] std::size_t size() const { return current()->order.size(); }
    /// A sentence for each key of the text that is not used: `"key 2, \"2024-a\": expected ..."`.
    [[nodiscard]] std::vector<std::string> left_out() const { return current()->left_out; }

private:
    struct contents {
        std::vector<jws_key> keys{};
        std::vector<jws_key const*> order{}; // by name
        std::vector<std::string> left_out{};

        [[nodiscard]] jws_key const* find(std::optional<std::string_view> kid) const noexcept
        {
            if (!kid) return order.size() == 1 ? order.front() : nullptr;
            auto const at = std::lower_bound(order.begin(), order.end(), *kid, before);
            return at != order.end() && !kid->empty() && name_of(*at) == *kid ? *at : nullptr;
        }
    };
    using share = std::shared_ptr<contents const>;

    static std::string_view name_of(jws_key const* key) noexcept { return key->kid(); }
    static bool before(jws_key const* key, std::string_view name) noexcept { return name_of(key) < name; }

    static void index(contents& c)
    {
        std::vector<jws_key const*> sorted;
        for (jws_key const& k : c.keys) sorted.insert(std::lower_bound(sorted.begin(), sorted.end(), name_of(&k), before), &k);
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            jws_key const* const k = sorted[i];
            bool const twice =
                (i != 0 && name_of(sorted[i - 1]) == name_of(k)) || (i + 1 < sorted.size() && name_of(sorted[i + 1]) == name_of(k));
            bool const unnamed = k->kid().empty() && sorted.size() > 1;
            if (!twice && !unnamed)
                c.order.push_back(k);
            else
                c.left_out.push_back(unnamed ? "a key: expected a name, \"kid\", for it is not the only key"
                                             : "a key: expected a \"kid\" of its own, not \"" + k->kid() + "\" of another key");
        }
    }
    share read(std::string_view jwks) const
    {
        expect(jwks.size() <= options_.max_bytes, "key_set", "a text of at most " + std::to_string(options_.max_bytes) + " bytes");
        detail::secret_json const document(jwks, {.bytes = options_.max_bytes, .levels = 8, .values = 32 * options_.max_keys + 64});
        json_view const list = document.root()["keys"];
        expect(list.is_list(), "key_set", "a JWK Set: a JSON object with the list \"keys\"");
        expect(list.size() <= options_.max_keys, "key_set", "at most " + std::to_string(options_.max_keys) + " keys");
        auto made = std::make_shared<contents>();
        made->keys.reserve(list.size());
        std::size_t place = 0;
        for (json_view each : list) {
            ++place;
            try {
                made->keys.push_back(detail::make_jwk<jws_key>(each, options_.algorithms));
            } catch (std::invalid_argument const& e) {
                auto const kid = each["kid"].text();
                std::string const named = kid && detail::is_kid(*kid) ? ", \"" + std::string(*kid) + "\"" : std::string();
                made->left_out.push_back("key " + std::to_string(place) + named + ": " + e.what());
            }
        }
        index(*made);
        return made;
    }
    share current() const
    {
        std::lock_guard const lock(mutex_);
        return keys_;
    }

    key_set_options options_;
    mutable typename Threading::mutex mutex_;
    share keys_;
    typename Threading::template cell<std::size_t> version_{0};
};

key_set(std::string_view, key_set_options)->key_set<>;

} // namespace weir::inline v0
