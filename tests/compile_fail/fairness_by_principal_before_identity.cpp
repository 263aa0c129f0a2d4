// expect: weir::v0::advice::move<{anonymous}::read_token>::outward_of<weir::v0::concurrency_limit<weir::v0::fair_by<
// expect-clang: move<(anonymous namespace)::read_token>::outward_of<weir::concurrency_limit<weir::fair_by<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/fair_by.hpp>

#include <string>

namespace {
struct read_token {
    using role = weir::gate;
    using provides = weir::facets<weir::principal>;
    static constexpr std::string_view name = "read_token";
    weir::admission<> admit(auto& call)
    {
        call.set(weir::principal{"ada"});
        return weir::admitted;
    }
};
} // namespace

int main()
{
    weir::concurrency_limit limit{{.max_concurrent = 12, .max_wait = weir::duration(1'000)}, weir::fair_by{weir::by<weir::principal>}};
#ifdef WEIR_MENDED
    weir::pipeline svc{read_token{}, std::ref(limit), [](int x) { return x; }};
#else
    weir::pipeline svc{std::ref(limit), read_token{}, [](int x) { return x; }};
#endif
    return svc(1).value();
}
