// expect: settling<{anonymous}::quota>::needs_more_than_the_time_and_cannot_wait_for_the_end_of_a_stream
// expect-clang: settling<(anonymous namespace)::quota>::needs_more_than_the_time_and_cannot_wait_for_the_end_of_a_stream
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/held.hpp>
#include <weir/core/pipeline.hpp>

namespace {
struct quota {
    using role = weir::gate;
    static constexpr std::string_view name = "quota";
    int left = 10;
    weir::admission<int> admit(auto& call)
    {
        left -= call.request();
        return call.request();
    }
#ifdef WEIR_MENDED
    void settle(int permit, auto const&, auto&)
    {
        left += permit;
    }
#else
    void settle(int, auto const&, auto& call) requires requires
    {
        call.request();
    }
    {
        left += call.request();
    }
#endif
    void cancel(int permit) noexcept
    {
        left += permit;
    }
};
} // namespace

int main()
{
    weir::pipeline svc{quota{}, [](int n) { return weir::held(n); }};
    svc(1)->finish();
}
