// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/add_signature.hpp>

#include "raw_message.hpp"
#include "wall.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/sign/sigv4.hpp>

#include <doctest/doctest.h>

#include <string>

using weir_tests::raw_request;

namespace {

weir::message_keys<weir::confined> keys()
{
    return weir::message_keys<weir::confined>({{"shop", weir::signature_key(weir::secret{"only-for-tests-0123456789"})}});
}

} // namespace

TEST_CASE("add_signature: each call has its own nonce")
{
    std::string last;
    unsigned fresh = 0;
    weir::pipeline client{weir::add_signature{weir::http_signature({.authority = "bank.example"}), keys(), test::manual_wall{}},
                          [&](raw_request const& r) {
                              std::string const now(weir_header(r, "signature-input").value_or(""));
                              fresh += now != last;
                              last = now;
                              return 0;
                          }};
    raw_request const r;
    for (int i = 0; i < 5; ++i) CHECK(client(r).has_value());
    CHECK(fresh == 5);
}

TEST_CASE("add_signature: without a key, or with a component that is not there, nothing is sent")
{
    unsigned sent = 0;
    weir::pipeline client{weir::add_signature{weir::http_signature(), keys(), test::manual_wall{}},
                          [&](raw_request const&) { return ++sent; }};
    raw_request const r; // no Host, and no authority told
    CHECK(client(r).error().kind() == weir::errc::invalid_request);
    CHECK(client.get<weir::add_signature>().stats().missing == 1);
    client.get<weir::add_signature>().keys().replace({});
    CHECK(client(r).error().kind() == weir::errc::unavailable);
    CHECK(sent == 0);
}

TEST_CASE("add_signature: its scheme tells its settings")
{
    weir::pipeline client{
        weir::add_signature{weir::sigv4({.region = "us-east-1", .service = "s"}), weir::sigv4_keys<>(), test::manual_wall{}},
        [](raw_request const&) { return 0; }};
    CHECK(describe(client).text().find("us-east-1") != std::string::npos);
    raw_request const r;
    CHECK(client(r).error().kind() == weir::errc::unavailable);
}
