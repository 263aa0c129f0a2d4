// expect: request<upload>::can_be_sent_once_only__it_cannot_be_repeated_by<weir::v0::retry<> >
// expect-clang: request<upload>::can_be_sent_once_only__it_cannot_be_repeated_by<weir::retry<3, when_it_failed{}>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>

#include <memory>

struct upload {
    std::unique_ptr<int> file;
#ifdef WEIR_MENDED
    static constexpr bool can_be_repeated = true; // who wrote it knows that it can be read again
#endif
};

int main()
{
    weir::pipeline svc{weir::retry<3>{}, weir::idempotent{[](upload const&) { return 1; }}};
    upload const one{std::make_unique<int>(1)};
    return svc(one).value();
}
