// expect: policy<{anonymous}::remote_gate>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// expect-clang: policy<(anonymous namespace)::remote_gate>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>

#include <boost/asio/awaitable.hpp>

namespace {
struct remote_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "remote_gate";
    weir::admission<> admit(auto&) { return weir::pending; }
    boost::asio::awaitable<weir::admission<>> admit_later(auto&) { co_return weir::admitted; }
};
} // namespace

int main()
{
    auto const handler = [](int n) { return n; };
#ifdef WEIR_MENDED
    weir::pipeline svc{remote_gate{}, weir::asynchronous{handler}};
#else
    weir::pipeline svc{remote_gate{}, handler};
#endif
    static_cast<void>(svc(1));
}
