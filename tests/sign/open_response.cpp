// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/open_response.hpp>

#include "fresh_keys.hpp"
#include "raw_message.hpp"
#include "wall.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/sign/jwt_seal.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace std::chrono_literals;
using weir_tests::raw_request;
using weir_tests::raw_response;
using enum weir::signature_algorithm;

namespace {

weir::message_keys<weir::confined> ring(bool is_private)
{
    auto const& pair = weir_tests::fresh_pair(ecdsa_p256_sha256);
    return weir::message_keys<weir::confined>(
        {{"bank", weir::signature_key(ecdsa_p256_sha256, is_private ? pair.private_key : pair.public_key)}});
}

raw_request question(std::string target = "/balance?of=7")
{
    raw_request r;
    r.target = std::move(target);
    r.fields = {{"host", "bank.example"}};
    return r;
}

/// Asks a service through a man in the middle: each attack has to be refused, and what is between them to be taken.
template<class Scheme>
void check_seal(Scheme const& scheme, std::vector<std::string> const& headers)
{
    struct {
        test::manual_wall service_clock{}, client_clock{};
        std::function<void(raw_response&)> meddle{}; // what the man in the middle does to the answer
        std::optional<raw_request> asked{};          // what he asks instead
    } w;
    weir::pipeline service{weir::seal_response{scheme, ring(true), std::ref(w.service_clock)}, [](raw_request const& r) {
                               raw_response answer;
                               answer.body = "balance for " + r.target;
                               return answer;
                           }};
    weir::pipeline client{weir::open_response{scheme, ring(false), std::ref(w.client_clock)}, [&](raw_request const& r) {
                              weir::result<raw_response> answer = service(w.asked ? *w.asked : r);
                              if (w.meddle) w.meddle(*answer);
                              return answer;
                          }};
    auto const ask = [&] {
        raw_request const r = question();
        auto const answer = client(r);
        return answer ? weir::errc{} : answer.error().kind();
    };
    constexpr weir::errc good{}, refused = weir::errc::upstream_failed;
    CHECK(ask() == good);

    CHECK(describe(client).text().find("open_response") != std::string::npos);
    CHECK(describe(service).text().find("max_age") != std::string::npos);

    // Altered.
    w.meddle = [](raw_response& r) { r.body += '0'; };
    CHECK(ask() == refused);
    w.meddle = [](raw_response& r) { r.status = 404; };
    CHECK(ask() == refused);
    w.meddle = [](raw_response& r) {
        r.body = "evil";
        weir_set_header(r, "content-digest", weir::content_digest("evil"));
    };
    CHECK(ask() == refused);

    // Stripped.
    for (std::string const& name : headers) {
        w.meddle = [&](raw_response& r) {
            std::erase_if(r.fields, [&](auto const& f) { return weir_tests::same_letters(f.first, name); });
        };
        CHECK_MESSAGE(ask() == refused, name);
    }

    // For another request, or kept from an earlier time.
    w.meddle = {};
    w.asked = question("/balance?of=8");
    CHECK(ask() == refused);
    w.asked = question();
    w.asked->method = "HEAD";
    CHECK(ask() == refused);
    w.asked.reset();
    CHECK(ask() == good);
    w.client_clock.now += 1h;
    CHECK(ask() == refused);
    w.client_clock.now -= 2h;
    CHECK(ask() == refused);
    w.client_clock.now += 1h;
    CHECK(ask() == good);
}

} // namespace

TEST_CASE("open_response: an HTTP signature: altered, stripped, replayed for another request, late or early, each is refused")
{
    check_seal(weir::http_signature(weir::sealed_answer()), {"signature", "signature-input", "content-digest"});
}

TEST_CASE("open_response: a JWT in a header: the same")
{
    check_seal(weir::jwt_seal({.issuer = "bank"}), {"x-response-seal"});
}
