// SPDX-License-Identifier: BSL-1.0
// A synchronous pipeline, alone or with a neighbour in its file. run.sh compares the code of `price_of`, byte for byte.
//   WITH_OBSERVER   the same pipeline, observed
//   WITH_PENDING    a pipeline whose gate asks elsewhere, with the asynchronous driver
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/retry.hpp>

#ifdef WITH_OBSERVER
#include <weir/core/observed.hpp>
#endif
#ifdef WITH_PENDING
#include <weir/asio/asynchronous.hpp>
#endif

struct order {
    int amount;
};

/// The work. The compiler does not see through it.
int price(order const& o);

struct priced {
    int operator()(order const& o) const { return price(o); }
};

using breaker = weir::circuit_breaker<>;
using limit = weir::rate_limit<weir::gcra<>>;
using service = decltype(weir::pipeline{std::declval<limit>(), std::declval<breaker>(), weir::retry<3>{}, weir::idempotent{priced{}}});

int price_of(service& svc, order const& o)
{
    weir::result<int> const r = svc(o);
    return r.has_value() ? *r : -static_cast<int>(r.error().kind());
}

#ifdef WITH_OBSERVER
struct counting {
    long events = 0;
    void operator()(weir::event::admitted const&) { ++events; }
    void operator()(weir::event::refused const&) { ++events; }
    void operator()(weir::event::ended const&) { ++events; }
};
int observed_price_of(service& svc, counting& count, order const& o)
{
    weir::observed watched{svc, std::ref(count)};
    weir::result<int> const r = watched(o);
    return r.has_value() ? *r : -static_cast<int>(r.error().kind());
}
#endif

#ifdef WITH_PENDING
struct remote_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "remote_gate";
    weir::admission<> admit(auto&) { return weir::pending; }
    boost::asio::awaitable<weir::admission<>> admit_later(auto&) { co_return weir::admitted; }
};
boost::asio::awaitable<int> price_later(order const& o)
{
    weir::pipeline svc{remote_gate{}, weir::circuit_breaker{{}}, weir::asynchronous{priced{}}};
    weir::result<int> const r = co_await svc(o);
    co_return r.has_value() ? *r : -1;
}
#endif
