// expect: has_to_return_bool_or_verdict_for<boost::system::result<int, weir::v0::error> >
// expect-clang: has_to_return_bool_or_verdict_for<boost::system::result<int, weir::error>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>

#include <functional>
#include <string>

int handler(int const& n)
{
    return n;
}

int main()
{
    using namespace std::chrono_literals;
#ifdef WEIR_MENDED
    weir::circuit_breaker breaker{{.window = 10s}, [](weir::result<int> const& outcome) { return outcome.has_error(); }};
#else
    weir::circuit_breaker breaker{{.window = 10s}, [](weir::result<std::string> const& outcome) { return outcome.has_error(); }};
#endif
    weir::pipeline svc{std::ref(breaker), handler};
    return svc(1).value();
}
