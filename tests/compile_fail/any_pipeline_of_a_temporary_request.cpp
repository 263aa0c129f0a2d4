// expect: use of deleted function
// expect-clang: call to deleted function
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/any_pipeline.hpp>
#include <weir/core/pipeline.hpp>

struct request {
    int number = 0;
};

int main()
{
    auto const handler = [](request const& r) -> boost::asio::awaitable<int> { co_return r.number; };
    weir::pipeline svc{handler};
    weir::any_pipeline_ref<request, boost::asio::awaitable<weir::result<int>>> ref(svc);
#ifdef WEIR_MENDED
    request const r{1};
    static_cast<void>(ref(r));
#else
    static_cast<void>(ref(request{1}));
#endif
}
