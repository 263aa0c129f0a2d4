// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/seal_response.hpp>

#include "raw_message.hpp"
#include "wall.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/fallback.hpp>

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

TEST_CASE("seal_response: an answer that is less than it should be leaves marked, and the mark is sealed")
{
    weir::http_signature const scheme(weir::sealed_answer());
    weir::message_keys<weir::confined> const keys({{"bank", weir::signature_key(weir::secret{"only-for-tests-0123456789"})}});
    test::manual_wall const wall;
    bool fails = false;
    weir::pipeline service{weir::seal_response{scheme, std::cref(keys), wall},
                           weir::fallback{[](raw_request const&, weir::error) -> weir::result<raw_response> {
                               raw_response r;
                               r.body = "last known";
                               return r;
                           }},
                           [&](raw_request const&) -> weir::result<raw_response> {
                               if (fails) return weir::error(weir::errc::unavailable);
                               return raw_response{};
                           }};
    raw_request r;
    r.fields = {{"host", "bank.example"}};
    auto const good = service(r);
    REQUIRE(good.has_value());
    CHECK_FALSE(weir_header(*good, "x-degraded"));
    CHECK(scheme.verify_answer(*good, r, keys, wall.now));
    fails = true;
    auto const less = service(r);
    REQUIRE(less.has_value());
    CHECK(weir_header(*less, "x-degraded") == "fallback");
    CHECK(weir_header(*less, "signature-input")->find(R"("x-degraded")") != std::string::npos);
    CHECK(scheme.verify_answer(*less, r, keys, wall.now));

    // To say the same again, as the HTTP edge does, changes nothing.
    raw_response again = *less;
    weir_set_header(again, "X-Degraded", "fallback");
    CHECK(scheme.verify_answer(again, r, keys, wall.now));
    raw_response stripped = *less, added = *good;
    std::erase_if(stripped.fields, [](auto const& f) { return weir_tests::same_letters(f.first, "x-degraded"); });
    CHECK(scheme.verify_answer(stripped, r, keys, wall.now).fault == weir::message_fault::missing);
    weir_set_header(added, "x-degraded", "fallback");
    CHECK(scheme.verify_answer(added, r, keys, wall.now).fault == weir::message_fault::not_covered);
}
