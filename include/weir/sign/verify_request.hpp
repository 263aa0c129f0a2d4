// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/principal.hpp>
#include <weir/core/request.hpp>
#include <weir/sign/canonical.hpp>
#include <weir/sign/detail/keys.hpp>
#include <weir/sign/nonce_store.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct verify_request_options {
    canonical_options scheme{};           ///< the names of the headers, what is signed, and the window of time
    required<std::size_t> nonce_capacity; ///< requests of one window, `late` and `early` together, at most; 1 to 2^30, 43 bytes each
};

/// Lets a request pass if an app signed it as `canonical_scheme` says, lately and for the first time, and provides that app as the
/// `principal`: `verify_request{std::ref(keys), {.nonce_capacity = 100'000}}`.
///
/// | the request                                              | is refused with         | and a `violation` that names              |
/// |----------------------------------------------------------|-------------------------|-------------------------------------------|
/// | lacks a header of the scheme, or has one in a wrong form | `errc::unauthenticated` | that header, `method` or `target`         |
/// | is signed too early                                      | `errc::unauthenticated` | the timestamp                             |
/// | is signed too late to tell whether it came before        | `errc::replayed`        | the timestamp                             |
/// | has a wrong signature, or comes from an unknown app      | `errc::unauthenticated` | the signature: a stranger learns no names |
/// | has another body than the one that was signed            | `errc::unauthenticated` | the digest                                |
/// | came before                                              | `errc::replayed`        | the nonce                                 |
/// | is right, but there is no room to remember it            | `errc::overloaded`      | nothing: it is not the caller's fault     |
///
/// The stats tell more. Only what verified goes into the nonce store, and passing uses a request up: one that a policy further in refuses, or
/// whose handler fails, has to be signed anew. So a `retry` stands further in; outside, its second attempt would be a replay.
///
/// The keys are a `key_ring`, a `shared_ptr` to one, or one shared by `std::ref`; `keys().replace(...)` rotates them. Header names and window are
/// agreed upon with the callers and stay as they are; room for nonces is made by `reconfigure`. Where several pipelines accept the same
/// requests, one for each thread, say, they share one `verify_request` by `std::ref`, since each keeps nonces of its own. The threading
/// model is that of the key ring. A call costs what `canonical_scheme::verify` and `nonce_store::remember` cost.
template<class Keys, class Clock = system_wall>
class verify_request {
    using ring = detail::ring_in<Keys>;
    using threading = typename ring::threading;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::verify_request wants a wall clock: a type with wall_now()");

public:
    using role = gate;
    using traits = weir::traits<establishes_identity, reads_body, passes_once>;
    using options = verify_request_options;
    using provides = facets<principal>;
    using reports = facets<violation>;
    using reads = reads_request<customisation::header_fn, customisation::method_fn, customisation::target_fn, customisation::body_fn>;
    static constexpr std::string_view name = "verify_request";
    struct stats_type {
        std::uint64_t verified = 0;
        std::uint64_t missing = 0; ///< refused for this reason, as all that follow
        std::uint64_t malformed = 0;
        std::uint64_t late = 0;
        std::uint64_t early = 0;
        std::uint64_t unknown_app = 0;
        std::uint64_t wrong_signature = 0;
        std::uint64_t wrong_digest = 0;
        std::uint64_t replayed = 0;
        std::uint64_t no_room = 0; ///< the nonce store was full: raise its capacity, or find the app that fills it
        std::uint64_t nonces = 0;  ///< remembered now
        void each(auto&& field) const
        {
            field("verified_total", verified);
            field("missing_total", missing);
            field("malformed_total", malformed);
            field("late_total", late);
            field("early_total", early);
            field("unknown_app_total", unknown_app);
            field("wrong_signature_total", wrong_signature);
            field("wrong_digest_total", wrong_digest);
            field("replayed_total", replayed);
            field("no_room_total", no_room);
            field("nonces", nonces);
        }
    };

    /// Throws `std::invalid_argument` for bad options. Keys and a clock given by `std::ref` outlive the policy; a clock of your own lets it
    /// run in virtual time.
    verify_request(Keys keys, options const& o, Clock clock = {})
        : keys_(std::move(keys)),
          clock_(std::move(clock)),
          scheme_(o.scheme),
          nonces_({.capacity = *o.nonce_capacity, .late = o.scheme.late, .early = o.scheme.early})
    {
    }

    [[nodiscard]] admission<> admit(auto& call)
    {
        wall_time const now = detail::unwrapped<Clock>::of(clock_).wall_now();
        signature_check const found = scheme_.verify(call.request(), keys(), now);
        verdict const v = found ? verdict_of(nonces_.remember(found.app, found.nonce, found.signed_at, now)) : verdict_of(found.fault);
        counts_[static_cast<std::size_t>(v)].add(1);
        if (v != verdict::verified) [[unlikely]]
            return refuse(call, v, found.where);
        call.set(principal::of(found.app));
        return admitted;
    }

    /// The keys, to be replaced while calls use them.
    [[nodiscard]] auto& keys() noexcept { return ring::of(keys_); }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        auto const count = [&](verdict v) { return counts_[static_cast<std::size_t>(v)].load(); };
        return {.verified = count(verdict::verified),
                .missing = count(verdict::missing),
                .malformed = count(verdict::malformed),
                .late = count(verdict::late),
                .early = count(verdict::early),
                .unknown_app = count(verdict::unknown_app),
                .wrong_signature = count(verdict::wrong_signature),
                .wrong_digest = count(verdict::wrong_digest),
                .replayed = count(verdict::replayed),
                .no_room = count(verdict::no_room),
                .nonces = nonces_.size()};
    }
    /// The scheme in force, its names in lower case.
    [[nodiscard]] canonical_options const& settings() const noexcept { return scheme_.options(); }
    /// Remembers so many nonces from now on; what was seen stays seen. `scheme` has to stay what it was. Throws `std::invalid_argument`
    /// that names the member, then all stays as it is.
    void reconfigure(options const& o)
    {
        expect(canonical_scheme(o.scheme).options() == settings(), "verify_request.scheme",
               "what it was: it is agreed upon with the callers");
        nonces_.reconfigure({.capacity = *o.nonce_capacity, .late = o.scheme.late, .early = o.scheme.early});
    }
    void describe(auto&& field) const
    {
        canonical_options const& o = settings();
        field("app_id", std::string_view(o.app_id));
        field("signature", std::string_view(o.signature));
        field("late", duration(o.late));
        field("early", duration(o.early));
        field("nonce_memory", nonces_.memory());
    }

private:
    /// `signature_fault` goes on where it ends.
    enum class verdict : std::uint8_t {
        verified,
        missing,
        malformed,
        late,
        early,
        unknown_app,
        wrong_signature,
        wrong_digest,
        replayed,
        no_room
    };
    static_assert(static_cast<std::uint8_t>(verdict::wrong_digest) == static_cast<std::uint8_t>(signature_fault::wrong_digest));

    static constexpr verdict verdict_of(signature_fault f) noexcept { return static_cast<verdict>(f); }
    static constexpr verdict verdict_of(nonce_verdict v) noexcept
    {
        switch (v) {
        case nonce_verdict::fresh: return verdict::verified;
        case nonce_verdict::replayed: return verdict::replayed;
        case nonce_verdict::full: return verdict::no_room;
        case nonce_verdict::outside: return verdict::late;
        }
        return verdict::late;
    }
    [[gnu::noinline, gnu::cold]] errc refuse(auto& call, verdict v, std::string_view where) const
    {
        canonical_options const& o = scheme_.options();
        auto const tell = [&](errc why, std::string_view which, char const* expected) {
            call.report(violation{"signature", std::string(which), expected});
            return why;
        };
        switch (v) {
        case verdict::missing: return tell(errc::unauthenticated, where, "a value");
        case verdict::malformed: return tell(errc::unauthenticated, where, "a value in the form that is signed");
        case verdict::late: return tell(errc::replayed, o.timestamp, "a time not so long ago");
        case verdict::early: return tell(errc::unauthenticated, o.timestamp, "a time not in the future");
        case verdict::wrong_digest: return tell(errc::unauthenticated, o.digest, "the digest of the body");
        case verdict::replayed: return tell(errc::replayed, o.nonce, "a value that was not used before");
        case verdict::no_room: return errc::overloaded;
        default: return tell(errc::unauthenticated, o.signature, "a signature by a key of the app");
        }
    }

    Keys keys_;
    [[no_unique_address]] Clock clock_;
    canonical_scheme scheme_;
    nonce_store<threading> nonces_;
    // One word for all threads is good enough beside two hashes.
    std::array<typename threading::template cell<std::uint64_t>, 10> counts_{};
};

} // namespace weir::inline v0
