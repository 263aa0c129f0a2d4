// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/sign/canonical.hpp>
#include <weir/sign/detail/keys.hpp>
#include <weir/sign/random_nonce.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct sign_request_options {
    required<std::string> app;    ///< who signs; the key ring has a key of this app
    required<std::string> device; ///< on which of the app's devices; not empty
    canonical_options scheme{};   ///< the names of the headers, and what is signed; as those who verify have it
};

/// Signs a request on its way down, as `canonical_scheme` says: it sets the headers for app, device, time, nonce, digest and signature.
/// `sign_request{std::ref(keys), {.app = "shop", .device = "till-7"}}`.
///
/// Each attempt is signed anew, with its own time and nonce, if a `retry` stands further out: stand it there, for a request that is sent twice
/// is refused as a replay. What changes the method, target, body or a covered header stands further out, too. The call works on a copy of the
/// request, so its caller's own stays as it was.
///
/// Without a valid key of the app the call is refused with `errc::unavailable`; a request that cannot be signed, as its target has a
/// space, say, with `errc::invalid_request`. The keys are a `key_ring`, a `shared_ptr` to one, or one shared by `std::ref`; `keys().replace(...)` rotates
/// them; who signs, and the scheme, stay: they are what the other end knows this client by. Thread-safe as the key ring, clock and nonces
/// are. A call costs `canonical_scheme::sign` and a nonce.
template<class Keys, class Clock = system_wall, class Nonces = random_nonces>
class sign_request {
    using ring = detail::ring_in<Keys>;
    using threading = typename ring::threading;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::sign_request wants a wall clock: a type with wall_now()");

public:
    using role = transform;
    using traits = weir::traits<rewrites_request>;
    using options = sign_request_options;
    using reads = reads_request<customisation::header_fn, customisation::set_header_fn, customisation::method_fn, customisation::target_fn,
                                customisation::body_fn>;
    static constexpr std::string_view name = "sign_request";
    struct stats_type {
        std::uint64_t signed_requests = 0;
        std::uint64_t no_key = 0;    ///< refused: the app has no key that is valid now
        std::uint64_t malformed = 0; ///< refused: the request is not of the form that can be signed
        void each(auto&& field) const
        {
            field("signed_total", signed_requests);
            field("no_key_total", no_key);
            field("malformed_total", malformed);
        }
    };

    /// Throws `std::invalid_argument` for bad options. A clock given by `std::ref` outlives the policy, as keys do.
    sign_request(Keys keys, options const& o, Clock clock = {}, Nonces nonces = {})
        : keys_(std::move(keys)),
          clock_(std::move(clock)),
          nonces_(std::move(nonces)),
          app_(checked(*o.app, "sign_request.app")),
          device_(checked(*o.device, "sign_request.device")),
          scheme_(o.scheme)
    {
    }

    [[nodiscard]] admission<> down(auto& call)
    {
        auto const nonce = nonces_();
        wall_time const now = detail::unwrapped<Clock>::of(clock_).wall_now();
        auto const made = scheme_.sign(call.request(), {.app = app_, .device = device_, .nonce = nonce.view(), .at = now}, keys());
        if (made) [[likely]] {
            signed_.add(1);
            return admitted;
        }
        if (made.fault == signature_fault::unknown_app) {
            no_key_.add(1);
            return errc::unavailable;
        }
        malformed_.add(1);
        return errc::invalid_request;
    }

    /// The keys, to be replaced while calls use them.
    [[nodiscard]] auto& keys() noexcept { return ring::of(keys_); }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {signed_.load(), no_key_.load(), malformed_.load()}; }
    /// The scheme in force, its names in lower case.
    [[nodiscard]] canonical_options const& settings() const noexcept { return scheme_.options(); }
    void describe(auto&& field) const
    {
        field("app", std::string_view(app_));
        field("device", std::string_view(device_));
        field("signature", std::string_view(settings().signature));
    }

private:
    using count = typename threading::template cell<std::uint64_t>;

    static std::string const& checked(std::string const& value, std::string_view member)
    {
        bool const good =
            !value.empty() && detail::trim_value(value) == value && (detail::byte_classes_in(value) & detail::byte_class::control) == 0;
        expect(good, member, "a header value that is not empty");
        return value;
    }

    Keys keys_;
    [[no_unique_address]] Clock clock_;
    [[no_unique_address]] Nonces nonces_;
    std::string app_, device_;
    canonical_scheme scheme_;
    count signed_, no_key_, malformed_;
};

} // namespace weir::inline v0
