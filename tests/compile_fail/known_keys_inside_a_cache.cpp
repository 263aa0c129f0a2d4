// expect: ::and_its_refusals_would_be_kept_by_what_stands_outward__move_it_outward_of<weir::v0::cached<
// expect-clang: ::and_its_refusals_would_be_kept_by_what_stands_outward__move_it_outward_of<weir::cached<
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/cache/key_rule.hpp>
#include <weir/cache/known_keys.hpp>
#include <weir/core/pipeline.hpp>

int main()
{
    constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
    weir::known_keys known{itself, weir::key_rule{weir::number_range<int>{.least = 1, .most = 9}}};
    weir::cached kept{weir::store<int, int>{{.capacity = 10}}, itself};
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(known), std::move(kept), [](int n) { return n; }};
#else
    weir::pipeline svc{std::move(kept), std::move(known), [](int n) { return n; }};
#endif
    return svc(1).has_value() ? 0 : 1;
}
