// expect: advice::move<weir::v0::verify_request<weir::v0::key_ring<>, weir::v0::system_wall> >::outward_of<weir::v0::rate_limit<weir::v0::keyed<weir::v0::gcra<weir::v0::shared>, weir::v0::by_facet<weir::v0::principal>, weir::v0::shared> > >::which_reads<weir::v0::principal>
// expect-clang: advice::move<weir::verify_request<weir::key_ring<>>>::outward_of<weir::rate_limit<weir::keyed<weir::gcra<>, weir::by_facet<weir::principal>, weir::shared>>>::which_reads<weir::principal>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/sign/verify_request.hpp>

struct request {};

int main()
{
    using namespace std::chrono_literals;
    weir::verify_request verify{weir::key_ring<>{}, {.nonce_capacity = 10}};
    weir::rate_limit limit{weir::keyed{weir::gcra{{.permits = 100, .per = 1s}}, weir::by<weir::principal>, {.capacity = 10'000}}};
    auto const handler = [](request const&) { return 0; };
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(verify), std::move(limit), handler};
#else
    weir::pipeline svc{std::move(limit), std::move(verify), handler};
#endif
}
