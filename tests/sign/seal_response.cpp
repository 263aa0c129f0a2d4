// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/seal_response.hpp>

#include "raw_message.hpp"
#include "wall.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

using weir_tests::raw_request;
using weir_tests::raw_response;

TEST_CASE("seal_response: a response leaves sealed, or not at all; an error leaves as it is")
{
    weir::message_keys<weir::confined> const none;
    bool fails = false;
    weir::pipeline service{
        weir::seal_response{weir::http_signature(weir::sealed_answer()),
                            weir::message_keys<weir::confined>({{"bank", weir::signature_key(weir::secret{"only-for-tests-0123456789"})}}),
                            test::manual_wall{}},
        [&](raw_request const&) -> weir::result<raw_response> {
            if (fails) return weir::error(weir::errc::not_found);
            raw_response r;
            r.body = "{}";
            return r;
        }};
    raw_request r;
    r.fields = {{"host", "bank.example"}};
    auto const answer = service(r);
    REQUIRE(answer.has_value());
    CHECK(weir_header(*answer, "signature-input")
              ->starts_with(R"(seal=("@status" "@method";req "@target-uri";req "content-digest");created=1700000000;)"));
    CHECK(describe(service).text().find("seal") != std::string::npos);
    fails = true;
    CHECK(service(r).error().kind() == weir::errc::not_found);
    fails = false;
    service.get<weir::seal_response>().keys().replace({});
    CHECK(service(r).error().kind() == weir::errc::unavailable);
    CHECK(service.get<weir::seal_response>().stats().good == 1);
    CHECK(service.get<weir::seal_response>().stats().unknown_key == 1);
}
