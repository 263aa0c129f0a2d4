// expect: >::repeats_or_keeps_what_comes_back__it_cannot_stand_around_a_handler_of_weir_held
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/core/held.hpp>
#include <weir/core/pipeline.hpp>

using namespace std::chrono_literals;

int main()
{
#ifdef WEIR_MENDED
    auto const handler = [](int n) { return n; };
#else
    auto const handler = [](int n) { return weir::held(n); };
#endif
    weir::pipeline svc{weir::cached{weir::store<int, int>{{.capacity = 10, .ttl = 1s}}, weir::keyed_by<int>([](int n) { return n; })},
                       handler};
    static_cast<void>(svc(1));
}
