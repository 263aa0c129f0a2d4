// expect: has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/fallback.hpp>

#include <functional>

boost::asio::awaitable<int> handler(int x)
{
    co_return x;
}

int main()
{
    weir::pipeline other{handler};
    auto const plain = [](int x) { return x; };
    int const one = 1;
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::fallback{std::ref(other)}, weir::asynchronous{plain}};
#else
    weir::pipeline svc{weir::fallback{std::ref(other)}, plain};
#endif
    static_cast<void>(svc(one));
}
