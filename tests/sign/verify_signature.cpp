// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/verify_signature.hpp>

#include "raw_message.hpp"
#include "wall.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/sign/add_signature.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using weir_tests::raw_request;

namespace {

struct counted_nonces {
    int next = 0;
    struct text {
        std::string value;
        std::string_view view() const noexcept { return value; }
    };
    text operator()() { return {"n-" + std::to_string(++next)}; }
};

weir::message_keys<weir::confined> keys()
{
    return weir::message_keys<weir::confined>({{"shop", weir::signature_key(weir::secret{"only-for-tests-0123456789"})}});
}

raw_request order()
{
    raw_request r;
    r.method = "POST";
    r.target = "/orders";
    r.body = "{}";
    return r;
}

weir::http_signature scheme()
{
    return weir::http_signature({.authority = "bank.example"});
}

} // namespace

TEST_CASE("verify_signature: what add_signature signs passes, and its signer is the principal")
{
    test::manual_wall clock;
    raw_request sent;
    weir::pipeline client{weir::add_signature{scheme(), keys(), std::ref(clock), counted_nonces{}}, [&](raw_request const& r) {
                              sent = r;
                              return 0;
                          }};
    raw_request const mine = order();
    REQUIRE(client(mine).has_value());
    CHECK(mine.fields.empty());
    CHECK(weir_header(sent, "signature-input") ==
          R"(sig1=("@method" "@target-uri" "content-digest");created=1700000000;keyid="shop";nonce="n-1")");
    CHECK(client.get<weir::add_signature>().stats().good == 1);

    auto const who = [](raw_request const&, weir::view<weir::principal, weir::signature_facts> facts) {
        return facts.get<weir::principal>().name + " " + std::to_string(facts.get<weir::signature_facts>().id().size());
    };
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, who};
    CHECK(*service(sent) == "shop 32");
    CHECK(*service(sent) == "shop 32"); // a replay is the replay_guard's to refuse
    CHECK(service.get<weir::verify_signature>().stats().good == 2);

    CHECK(describe(service).text().find("sig1") != std::string::npos);
    CHECK(describe(client).text().find("max_age") != std::string::npos);
    CHECK(service.get<weir::verify_signature>().settings().max_age == 300s);

    raw_request changed = sent;
    changed.body = "{\"a\":1}";
    auto const reply = service.call(changed);
    CHECK(reply.result().error().kind() == weir::errc::unauthenticated);
    CHECK(to_string(*reply.reported<weir::violation>()) == "signature content-digest: expected the digest of the body");
    CHECK(service.get<weir::verify_signature>().stats().wrong_digest == 1);

    clock.now += 1h;
    CHECK(service(sent).error().kind() == weir::errc::replayed);
    service.get<weir::verify_signature>().keys().replace({});
    clock.now -= 1h;
    CHECK(service(sent).error().kind() == weir::errc::unauthenticated);
    CHECK(service.get<weir::verify_signature>().stats().unknown_key == 1);
}

TEST_CASE("verify_signature: nothing of a stranger's message is told to a stranger")
{
    weir::pipeline service{weir::verify_signature{scheme(), keys(), test::manual_wall{}}, [](raw_request const&) { return 0; }};
    raw_request r = order();
    CHECK(to_string(*service.call(r).reported<weir::violation>()) == "signature signature-input: expected a signature over what is there");
    r.fields = {{"Signature", "sig1=:AAAA:"}, {"Signature-Input", "sig1=(\"<script>\");created=1700000000;nonce=\"n\";keyid=\"x\""}};
    CHECK(to_string(*service.call(r).reported<weir::violation>()) == "signature: expected a signature in its form");
    r.fields[1].second = "sig1=(\"@method\" \"@target-uri\" \"x-evil\");created=1700000000;nonce=\"n\";keyid=\"x\"";
    CHECK(to_string(*service.call(r).reported<weir::violation>()) == "signature content-digest: expected to be covered by the signature");
}

TEST_CASE("verify_signature: both ends take a scheme with other options while they run; one that is wrong changes nothing")
{
    test::manual_wall clock;
    raw_request sent;
    weir::pipeline client{weir::add_signature{scheme(), keys(), std::ref(clock), counted_nonces{}}, [&](raw_request const& r) {
                              sent = r;
                              return 0;
                          }};
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, [](raw_request const&) { return 1; }};
    raw_request const mine = order();
    REQUIRE(client(mine).has_value());
    CHECK(service(sent).has_value());

    service.get<weir::verify_signature>().reconfigure({.components = {"@method", "@path"}, .authority = "bank.example"});
    CHECK(service.get<weir::verify_signature>().settings().components.back() == "@path");
    CHECK(service(sent).error() == weir::errc::unauthenticated);
    client.get<weir::add_signature>().reconfigure({.components = {"@method", "@path"}, .authority = "bank.example"});
    REQUIRE(client(mine).has_value());
    CHECK(service(sent).has_value());

    CHECK_THROWS_AS(service.get<weir::verify_signature>().reconfigure({.components = {"@nothing"}}), std::invalid_argument);
    CHECK(service(sent).has_value());
    CHECK(service.get<weir::verify_signature>().stats().good == 3);
}
