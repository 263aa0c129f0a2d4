// expect: binds_each_answer_to_its_request<weir::v0::seal_response<weir::v0::http_signature, std::reference_wrapper<weir::v0::message_keys<>
// expect-clang: binds_each_answer_to_its_request<weir::seal_response<weir::http_signature, std::reference_wrapper<weir::message_keys<
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/sign/seal_response.hpp>

#include "../sign/raw_message.hpp"

#include <functional>

int main()
{
    using weir_tests::raw_request, weir_tests::raw_response;
    weir::message_keys<> keys;
    auto const answer = [](raw_request const&) { return raw_response(); };
    weir::cached cache{weir::store<std::string, raw_response>{{.capacity = 100, .ttl = std::chrono::seconds(1)}},
                       weir::keyed_by(&raw_request::target)};
    weir::seal_response seal{weir::http_signature{weir::sealed_answer()}, std::ref(keys)};
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(seal), std::move(cache), answer};
#else
    weir::pipeline svc{std::move(cache), std::move(seal), answer};
#endif
    return svc(raw_request()).has_value();
}
