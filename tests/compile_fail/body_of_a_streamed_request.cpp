// expect: lacks<weir::v0::customisation::body_fn>::which_is_called_by<weir::v0::max_body
// expect-clang: which_is_called_by<weir::max_body
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/http/streamed_request.hpp>
#include <weir/validate/max_body.hpp>

int main()
{
    auto svc = weir::pipeline_for<weir::http::streamed_request>(weir::max_body{{.bytes = 10}},
                                                                [](weir::http::streamed_request const&) { return 0; });
    static_cast<void>(svc);
}
