// expect: asks_elsewhere__its_decision_cannot_be_tried_without_waiting
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/shadow.hpp>

struct far_away {
    using role = weir::gate;
    static constexpr std::string_view name = "far_away";
#ifdef WEIR_MENDED
    weir::admission<> admit(auto&) { return weir::admitted; }
#else
    weir::admission<> admit(auto&) { return weir::pending; }
    boost::asio::awaitable<weir::admission<>> admit_later(auto&) { co_return weir::admitted; }
#endif
};

int main()
{
    weir::pipeline svc{weir::shadow{far_away{}}, [](int x) -> boost::asio::awaitable<int> { co_return x; }};
    static_cast<void>(svc(1));
}
