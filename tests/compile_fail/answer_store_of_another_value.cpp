// expect: answers_of<int>::cannot_keep_what_the_handler_returns<long int>
// expect-clang: answers_of<int>::cannot_keep_what_the_handler_returns<long>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>
#include <weir/resilience/idempotency_key.hpp>

int main()
{
#ifdef WEIR_MENDED
    auto const handler = [](weir::http::request const&) { return 1; };
#else
    auto const handler = [](weir::http::request const&) { return 1l; };
#endif
    weir::pipeline svc{weir::idempotency_key{weir::answer_store<int>{{.capacity = 100}}}, handler};
    weir::http::request const r("POST", "/orders");
    return static_cast<int>(svc(r).value());
}
