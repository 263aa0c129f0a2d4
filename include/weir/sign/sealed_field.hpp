// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/key.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/jwe.hpp>
#include <weir/sign/jwe_key.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/secret.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct sealed_field_options {
    std::size_t max_bytes = 4'096;     ///< the longest sealed text; what is longer is refused unread; 64 to 2^20
    std::size_t max_plain_bytes = 256; ///< the longest text in it; 1 to `max_bytes`
};

namespace detail {
struct opened_field_maker;

/// Where a sealed text stands in a request, and how it is read there.
template<class KeyOf>
struct sealed_part {
    static constexpr std::string_view where = "body";
    static std::string_view read(KeyOf const& key_of, auto& call)
    {
        auto const& found = key_of(call);
        if constexpr (requires { found.has_value(); })
            return found.has_value() ? std::string_view(*found) : std::string_view();
        else
            return found;
    }
};
template<fixed_string Name>
struct sealed_part<by_header_field<Name>> {
    static constexpr std::string_view where = "header";
    static std::string_view read(by_header_field<Name> const& key_of, auto& call)
    {
        if constexpr (customisation::has_each_header<std::remove_cvref_t<decltype(call.request())>>) {
            std::size_t fields = 0;
            std::string_view found;
            weir_each_header(call.request(), Name.view(), [&](std::string_view value) {
                ++fields;
                found = value;
            });
            return fields == 1 ? found : std::string_view();
        } else {
            return key_of(call);
        }
    }
};
} // namespace detail

/// The facet that holds what a `sealed_field` of this name opened: a handler reads it by `view<opened_field<"password">>`. A share: it lives, and is overwritten, with the last of them.
/// It is no proof of who sent it: everybody has the key that seals.
template<fixed_string Name>
class opened_field {
public:
    /// Nothing was opened. Behind the policy it is never empty.
    opened_field() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return text_ != nullptr; }
    /// What was opened; there has to be something.
    [[nodiscard]] secret<> const& operator*() const noexcept { return *text_; }
    [[nodiscard]] secret<> const* operator->() const noexcept { return text_.get(); }

private:
    friend detail::opened_field_maker;
    explicit opened_field(std::shared_ptr<secret<> const> text) noexcept : text_(std::move(text)) {}
    std::shared_ptr<secret<> const> text_;
};

namespace detail {
struct opened_field_maker {
    template<fixed_string Name>
    static opened_field<Name> make(secret<> text)
    {
        return opened_field<Name>(std::make_shared<secret<> const>(std::move(text)));
    }
};
} // namespace detail

/// What `sealed_field<"password">(...)` makes.
template<fixed_string Name, class Keys, class KeyOf>
class field_opener {
    static_assert(keys_that_open<detail::policy_t<Keys>>, "weir::sealed_field wants keys that open: a jwe_key, or jwe_keys");
    using part = detail::sealed_part<KeyOf>;

public:
    using role = gate;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using provides = facets<opened_field<Name>>;
    using reports = facets<violation>;
    using options = sealed_field_options;
    static constexpr std::string_view name = "sealed_field";
    struct stats_type {
        std::uint64_t opened = 0;
        std::array<std::uint64_t, jwe_faults> refused{}; ///< by `jwe_fault`; what is missing is malformed
        void each(auto&& field) const
        {
            constexpr std::array<std::string_view, jwe_faults> names{
                "", "too_long_total", "malformed_total", "bad_header_total", "unknown_key_total", "wrong_algorithm_total", "closed_total"};
            field("opened_total", opened);
            for (std::size_t i = 1; i < jwe_faults; ++i) field(names[i], refused[i]);
        }
    };

    field_opener(Keys keys, KeyOf key_of, sealed_field_options const& o)
        : keys_(std::move(keys)), key_of_(std::move(key_of)), limits_(packed(o))
    {
    }

    [[nodiscard]] admission<> admit(auto& call)
    {
        sealed_field_options const limits = settings();
        opened_jwe opened = open_jwe(keys(), part::read(key_of_, call), {.max_bytes = limits.max_bytes});
        if (opened && opened.text.size() > limits.max_plain_bytes) opened.fault = jwe_fault::too_long;
        if (!opened) [[unlikely]] {
            refused_[static_cast<std::size_t>(opened.fault)].add(1);
            call.report(violation{part::where, std::string(Name.view()), "a text sealed for the present key of this service"});
            return errc::invalid_request;
        }
        opened_.add(1);
        call.set(detail::opened_field_maker::make<Name>(std::move(opened.text)));
        return admitted;
    }

    /// The keys: `keys().public_jwks()` is what clients are given.
    [[nodiscard]] auto& keys() noexcept { return detail::unwrapped<Keys>::of(keys_); }
    [[nodiscard]] stats_type stats(time_point = {}) const noexcept
    {
        stats_type s{.opened = opened_.load()};
        for (std::size_t i = 0; i < jwe_faults; ++i) s.refused[i] = refused_[i].load();
        return s;
    }
    [[nodiscard]] sealed_field_options settings() const noexcept
    {
        std::uint64_t const both = limits_.load();
        return {.max_bytes = static_cast<std::size_t>(both >> 32), .max_plain_bytes = static_cast<std::size_t>(both & 0xffff'ffff)};
    }
    /// Opens by these limits from now on. Throws `std::invalid_argument` for bad ones, then the present ones stay. Keys change by
    /// `keys().replace(...)`.
    void reconfigure(sealed_field_options const& o) { limits_.store(packed(o)); }
    void describe(auto&& field) const
    {
        sealed_field_options const limits = settings();
        field("field", Name.view());
        field("max_bytes", limits.max_bytes);
        field("max_plain_bytes", limits.max_plain_bytes);
    }

private:
    /// Both in one word, so that they change at once.
    static std::uint64_t packed(sealed_field_options const& o)
    {
        expect(o.max_bytes >= 64 && o.max_bytes <= 1 << 20, "sealed_field.max_bytes", "64 to 2^20");
        expect(o.max_plain_bytes >= 1 && o.max_plain_bytes <= o.max_bytes, "sealed_field.max_plain_bytes", "1 to max_bytes");
        return std::uint64_t{o.max_bytes} << 32 | o.max_plain_bytes;
    }

    Keys keys_;
    [[no_unique_address]] KeyOf key_of_;
    shared::cell<std::uint64_t> limits_;
    shared::cell<std::uint64_t> opened_;
    std::array<shared::cell<std::uint64_t>, jwe_faults> refused_{};
};

/// A policy that opens a secret of the client, which arrives encrypted under this service's public key, so that no proxy, log or dump of a request on its way holds it
/// (JWE compact, RFC 7516; see `open_jwe`):
/// ```cpp
/// weir::jwe_keys keys{weir::jwe_key{weir::secret{pem}, "2026-b"}, weir::jwe_key{weir::secret{old_pem}, "2026-a"}};
/// // a route gives keys.public_jwks() to clients
/// weir::pipeline login{weir::sealed_field<"password">(std::ref(keys), weir::keyed_by(&login_request::password)),
///                      [](login_request const&, weir::view<weir::opened_field<"password">> f) { return check(*f.get<weir::opened_field<"password">>()); }};
/// ```
/// The text lies in a header (`by_header<"x-password">`, there once) or a member of the request (`keyed_by`), and is handed on as the facet `opened_field<Name>`, a `secret<>`; the request
/// keeps the sealed one. What does not open is refused with `errc::invalid_request` and one sentence, whatever is wrong: key, algorithm, form or content; the stats tell more. A
/// client that is refused fetches the key anew. Neither text is logged or reported.
///
/// It hides; it does not prove. Whoever sees a sealed text can send it again: put a `replay_guard`, a `one_time` token or a challenge inside the text where that matters. TLS is not replaced.
/// Costs a private-key operation a call, far dearer with RSA than on a curve: rate limits stand further out. Thread-safe. Throws `std::invalid_argument` for bad options; keys given by
/// `std::ref` outlive it.
template<fixed_string Name, class Keys, class KeyOf>
[[nodiscard]] auto sealed_field(Keys keys, KeyOf key_of, sealed_field_options const& o = {})
{
    return field_opener<Name, Keys, KeyOf>(std::move(keys), std::move(key_of), o);
}

} // namespace weir::inline v0
