// SPDX-License-Identifier: BSL-1.0
// All of weir at once: what is linked for it has to be there.
#include <weir/asio.hpp>
#include <weir/sign/digest.hpp>
#include <weir/weir.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdio>

int main()
{
    boost::asio::io_context context;
    weir::pipeline svc{weir::rate_limit{weir::gcra{{.permits = 1, .per = std::chrono::hours(1)}}}, [](int x) { return x + 1; }};
    bool const first = svc(41).value() == 42, second = svc(41).has_error();
    bool const hashed = weir::sha256("weir")[0] != weir::sha256("wear")[0];
    std::puts(first && second && hashed ? "weir, whole" : "weir is not right");
    return first && second && hashed ? 0 : 1;
}
