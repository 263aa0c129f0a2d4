// expect: weir::v0::advice::limit_of<weir::v0::sliding_log<weir::v0::shared> >::cannot_be_had_per_key__what_it_keeps_is_more_than_a_few_words__gcra_or_sliding_window_can
// expect-clang: limit_of<weir::sliding_log<>>::cannot_be_had_per_key__what_it_keeps_is_more_than_a_few_words__gcra_or_sliding_window_can
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/key.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/sliding_window.hpp>

using namespace std::chrono_literals;

int main()
{
    auto const by_number = weir::keyed_by<int>([](int n) { return n; });
#ifdef WEIR_MENDED
    weir::keyed limit{weir::sliding_window{{.permits = 5, .per = 1min}}, by_number, {.capacity = 100}};
#else
    weir::keyed limit{weir::sliding_log{{.permits = 5, .per = 1min}}, by_number, {.capacity = 100}};
#endif
    return limit.try_acquire(1, weir::time_point{1h}) ? 0 : 1;
}
