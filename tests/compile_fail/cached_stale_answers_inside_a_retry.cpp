// expect: ::from__move_it_outward_of<weir::v0::retry<
// expect-clang: ::from__move_it_outward_of<weir::retry<
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>

struct yesterdays {
    weir::duration stale_for(weir::load_failure const&) { return std::chrono::hours(24); }
};

int main()
{
    auto const handler = [](int x) { return x; };
    auto const itself = weir::keyed_by<int>([](int n) { return n; });
    weir::cached quotes{weir::store<int, int>{{.capacity = 10}}, itself, yesterdays{}};
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(quotes), weir::retry{}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::retry{}, std::move(quotes), weir::idempotent{handler}};
#endif
    return svc(1).value();
}
