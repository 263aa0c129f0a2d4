// expect: policy<{anonymous}::remote_lock>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// expect-clang: policy<(anonymous namespace)::remote_lock>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>

#include <boost/asio/awaitable.hpp>

namespace {
struct remote_lock {
    using role = weir::gate;
    static constexpr std::string_view name = "remote_lock";
    weir::admission<> admit(auto&) { return weir::admitted; }
    weir::settlement settle(weir::pass, auto const&, auto&) { return weir::settlement::later; }
    boost::asio::awaitable<void> settle_later(weir::pass, auto const&, auto&) { co_return; }
    void cancel(weir::pass) noexcept {}
};
} // namespace

int main()
{
    auto const handler = [](int n) { return n; };
#ifdef WEIR_MENDED
    weir::pipeline svc{remote_lock{}, weir::asynchronous{handler}};
#else
    weir::pipeline svc{remote_lock{}, handler};
#endif
    static_cast<void>(svc(1));
}
