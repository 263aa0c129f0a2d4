// expect: policy<{anonymous}::remote_source>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// expect-clang: policy<(anonymous namespace)::remote_source>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>

#include <boost/asio/awaitable.hpp>

namespace {
struct remote_source {
    using role = weir::source;
    static constexpr std::string_view name = "remote_source";
    weir::lookup look_up(auto&, weir::pass&, auto&) { return weir::lookup::later; }
    boost::asio::awaitable<weir::lookup> look_up_later(auto&, weir::pass&, auto&) { co_return weir::lookup::missed; }
};
} // namespace

int main()
{
    auto const handler = [](int n) { return n; };
#ifdef WEIR_MENDED
    weir::pipeline svc{remote_source{}, weir::asynchronous{handler}};
#else
    weir::pipeline svc{remote_source{}, handler};
#endif
    static_cast<void>(svc(1));
}
