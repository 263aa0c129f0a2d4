// expect: policy<{anonymous}::remote_signer>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// expect-clang: policy<(anonymous namespace)::remote_signer>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>

#include <boost/asio/awaitable.hpp>

namespace {
struct remote_signer {
    using role = weir::transform;
    static constexpr std::string_view name = "remote_signer";
    weir::admission<> down(auto&) { return weir::pending; }
    boost::asio::awaitable<weir::admission<>> down_later(auto&) { co_return weir::admitted; }
};
} // namespace

int main()
{
    auto const handler = [](int n) { return n; };
#ifdef WEIR_MENDED
    weir::pipeline svc{remote_signer{}, weir::asynchronous{handler}};
#else
    weir::pipeline svc{remote_signer{}, handler};
#endif
    static_cast<void>(svc(1));
}
