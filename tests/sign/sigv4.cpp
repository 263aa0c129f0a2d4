// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/sigv4.hpp>

#include "raw_message.hpp"
#include "vectors.hpp"
#include "wall.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/add_signature.hpp>
#include <weir/sign/verify_signature.hpp>

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using weir::message_fault;
using weir_tests::raw_request;
using keys_type = weir::sigv4_keys<weir::confined>;

namespace {

weir::wall_time const then{std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + 12h + 36min};

keys_type keys(std::string token = {}, std::string id = "AKIDEXAMPLE")
{
    std::vector<weir::sigv4_key> all;
    all.push_back({std::move(id), weir::secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}, std::move(token)});
    return keys_type(std::move(all));
}

/// The vectors' own form of a request: lines end in line feeds, a target may have spaces, a header goes on in lines that begin with one.
raw_request read(std::string text)
{
    raw_request r;
    auto const line = [&] {
        auto const end = std::min(text.find('\n'), text.size());
        std::string out = text.substr(0, end);
        text.erase(0, end + 1);
        return out;
    };
    std::string const start = line();
    auto const first = start.find(' '), last = start.rfind(' ');
    r.method = start.substr(0, first);
    r.target = start.substr(first + 1, last - first - 1);
    for (std::string l = line(); !l.empty(); l = line()) {
        if (l.front() == ' ') {
            r.fields.back().second += l;
        } else {
            r.fields.emplace_back(l.substr(0, l.find(':')), l.substr(l.find(':') + 1));
        }
    }
    r.body = text;
    return r;
}
std::vector<std::string> names_of(raw_request const& r)
{
    std::vector<std::string> names;
    for (auto const& [name, value] : r.fields) names.push_back(name);
    return names;
}
std::string trimmed(std::string text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}
raw_request order()
{
    raw_request r;
    r.method = "POST";
    r.target = "/orders?b=2&a=1";
    r.fields = {{"Host", "example.amazonaws.com"}, {"Content-Type", "application/json"}};
    r.body = "{}";
    return r;
}
weir::sigv4 scheme(weir::sigv4_options o = {.region = "us-east-1", .service = "service"})
{
    return weir::sigv4(std::move(o));
}

} // namespace

TEST_CASE("sigv4: get-vanilla of the published suite")
{
    raw_request r;
    r.fields = {{"Host", "example.amazonaws.com"}};
    auto const made = scheme().sign(r, keys(), then);
    REQUIRE(made);
    CHECK(made.base == "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
                       "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
    CHECK(weir_header(r, "authorization") ==
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
          "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    auto const found = scheme().verify(r, keys(), then);
    CHECK(found);
    CHECK(found.signer == "AKIDEXAMPLE");
    CHECK(found.signed_at == then);
}

TEST_CASE("sigv4: all vectors, header and query form")
{
    auto const folder = weir_tests::vectors("sigv4");
    if (folder.empty()) return;
    unsigned cases = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        auto const text = [&](char const* name) { return weir_tests::contents(entry.path() / name); };
        std::string const name = entry.path().filename().string();
        auto const context = boost::json::parse(text("context.json"));
        auto const& c = context.as_object();
        auto const flag = [&](char const* member) { return c.contains(member) && c.at(member).as_bool(); };
        auto const& credentials = c.at("credentials").as_object();
        std::string token;
        if (credentials.contains("token") && !flag("omit_session_token")) token = credentials.at("token").as_string();
        raw_request const given = read(text("request.txt"));
        weir::sigv4_options const o{.region = "us-east-1",
                                    .service = "service",
                                    .covered = names_of(given),
                                    .normalize = flag("normalize"),
                                    .payload_header = flag("sign_body")};
        raw_request r = given;
        auto const made = scheme(o).sign(r, keys(token), then);
        CHECK_MESSAGE(made, name);
        CHECK_MESSAGE(made.base == trimmed(text("header-string-to-sign.txt")), name);
        CHECK_MESSAGE(made.unique == trimmed(text("header-signature.txt")), name);
        CHECK_MESSAGE(scheme(o).verify(r, keys(token), then), name);

        raw_request q = given;
        auto const target = scheme(o).presign(q, keys(token), then, 3600s);
        REQUIRE_MESSAGE(target.has_value(), name);
        CHECK_MESSAGE(target->ends_with("&X-Amz-Signature=" + trimmed(text("query-signature.txt"))), name);
        q.target = *target;
        auto const found = scheme(o).verify(q, keys(token), then + 3600s);
        CHECK_MESSAGE(found, name, ": ", std::string(to_string(found.fault)), " ", found.where);
        CHECK_MESSAGE(found.base == trimmed(text("query-string-to-sign.txt")), name);
        ++cases;
    }
    CHECK(cases == 38);
}

TEST_CASE("sigv4: what is changed does not verify")
{
    raw_request good = order();
    REQUIRE(scheme().sign(good, keys(), then));
    auto const after = [&](auto change) {
        raw_request r = good;
        change(r);
        return scheme().verify(r, keys(), then).fault;
    };
    CHECK(after([](raw_request&) {}) == message_fault::none);
    CHECK(after([](raw_request& r) { r.target = "/orders?a=1&b=2"; }) == message_fault::none); // sorted: the same request
    CHECK(after([](raw_request& r) { r.target = "/./orders?b=2&a=1"; }) == message_fault::none);
    CHECK(after([](raw_request& r) { r.target = "/orders?b=2&a=1&a=1"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.target = "/Orders?b=2&a=1"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.target += "&X-Amz-Signature=00"; }) ==
          message_fault::wrong_signature); // of a query, which it is not
    CHECK(after([](raw_request& r) { r.target = "https://EXAMPLE.amazonaws.com:443/orders?b=2&a=1"; }) == message_fault::none);
    CHECK(after([](raw_request& r) { r.target = "https://evil.example/orders?b=2&a=1"; }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { r.target = "https:///orders?b=2&a=1"; }) == message_fault::none); // no other host than that
    CHECK(after([](raw_request& r) { r.target = "evil"; }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { r.method = "PUT"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.body += ' '; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields.emplace_back("content-type", "text/html"); }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields.emplace_back("x-amz-target", "Delete"); }) == message_fault::not_covered);
    CHECK(after([](raw_request& r) { r.fields.emplace_back("x-amz-security-token", "x"); }) == message_fault::not_covered);
    CHECK(after([](raw_request& r) { r.fields.emplace_back("x-amz-date", "20150830T123600Z"); }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { weir_set_header(r, "x-amz-date", "20150830T123601Z"); }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { weir_set_header(r, "x-amz-date", "20150831T123600Z"); }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { weir_set_header(r, "x-amz-date", "20150830T243600Z"); }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { r.fields.emplace_back("authorization", "Basic x"); }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { r.fields.erase(r.fields.begin() + 1); }) == message_fault::missing);
    CHECK(after([](raw_request& r) { r.fields.clear(); }) == message_fault::missing);

    std::mt19937_64 random(1);
    for (int i = 0; i < 1'000; ++i) {
        raw_request r = good;
        std::string* const parts[] = {&r.method, &r.body, &r.fields[1].second, &r.fields[2].second, &r.fields[3].second};
        std::string& part = *parts[random() % 5];
        part[random() % part.size()] ^= static_cast<char>(1 << random() % 8);
        if (scheme().verify(r, keys(), then)) FAIL("taken: ", part);
    }
}

TEST_CASE("sigv4: a target is signed for its host alone")
{
    raw_request own = order(), other = order();
    own.target = "http://example.amazonaws.com:80/orders?a=1";
    other.target = "http://evil.example/orders?a=1";
    CHECK(scheme().presign(own, keys(), then, 60s));
    CHECK_FALSE(scheme().presign(other, keys(), then, 60s));
    CHECK(scheme().sign(other, keys(), then).where == "target");
    REQUIRE(scheme().sign(own, keys(), then));
    CHECK(scheme().verify(own, keys(), then));
}

TEST_CASE("sigv4: one bit changed in a target, and it is no more taken, but for what is the same path and parameters")
{
    // Dots, empty segments, the order and the spelling of parameters are not signed; this says what is left, by itself.
    auto const meaning = [](std::string target) {
        std::vector<std::string> parts;
        std::string path = target.substr(0, target.find('?')), query = target.size() > path.size() ? target.substr(path.size() + 1) : "";
        for (std::string rest = query; !rest.empty();) {
            std::string one = rest.substr(0, rest.find('&'));
            rest.erase(0, one.size() + 1);
            if (one.empty()) continue;
            std::string plain;
            for (std::size_t i = 0; i < one.size(); ++i) {
                bool const escape = one[i] == '%' && i + 2 < one.size() && std::isxdigit(static_cast<unsigned char>(one[i + 1])) != 0 &&
                                    std::isxdigit(static_cast<unsigned char>(one[i + 2])) != 0;
                plain += escape ? "<" + std::to_string(std::stoi(one.substr(i + 1, 2), nullptr, 16)) + ">" : std::string(1, one[i]);
                if (escape) i += 2;
            }
            parts.push_back(plain.find('=') == std::string::npos ? plain + '=' : plain);
        }
        std::sort(parts.begin(), parts.end());
        parts.push_back(path);
        return parts;
    };
    raw_request signed_order = order(), presigned = order();
    REQUIRE(scheme().sign(signed_order, keys(), then));
    presigned.target = *scheme().presign(presigned, keys(), then, 60s);
    std::size_t taken = 0;
    for (raw_request const& good : {signed_order, presigned})
        for (std::size_t bit = 0; bit < 8 * good.target.size(); ++bit) {
            raw_request r = good;
            r.target[bit / 8] ^= static_cast<char>(1 << bit % 8);
            if (!scheme().verify(r, keys(), then)) continue;
            ++taken;
            if (meaning(r.target) != meaning(good.target)) FAIL("taken: ", r.target);
        }
    CHECK(taken < 20); // %2F for %2f
}

TEST_CASE("sigv4: other days, regions, services and keys")
{
    raw_request good = order();
    REQUIRE(scheme().sign(good, keys(), then));
    CHECK(scheme({.region = "eu-central-1", .service = "service"}).verify(good, keys(), then).fault == message_fault::malformed);
    CHECK(scheme({.region = "us-east-1", .service = "other"}).verify(good, keys(), then).fault == message_fault::malformed);
    CHECK(scheme().verify(good, keys({}, "OTHER"), then).fault == message_fault::unknown_key);
    CHECK(scheme().verify(good, keys(), then + 360s));
    CHECK(scheme().verify(good, keys(), then + 361s).fault == message_fault::late);
    CHECK(scheme().verify(good, keys(), then - 61s).fault == message_fault::early);
    CHECK(scheme().sign(good, keys_type(), then).fault == message_fault::unknown_key);
}

TEST_CASE("sigv4: a presigned target is good for its time and its request")
{
    raw_request q = order();
    q.target = *scheme().presign(q, keys(), then, 60s);
    auto const after = [&](auto change) {
        raw_request r = q;
        change(r);
        return scheme().verify(r, keys(), then).fault;
    };
    CHECK(after([](raw_request&) {}) == message_fault::none);
    CHECK(scheme().verify(q, keys(), then + 121s).fault == message_fault::late);
    CHECK(after([](raw_request& r) { r.target += "&c=3"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.target += "&X-Amz-Expires=3600"; }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { r.target += "&X-Amz-Signature=00"; }) == message_fault::malformed);
    CHECK(after([](raw_request& r) { r.target.replace(r.target.find("Expires=60"), 10, "Expires=90"); }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields[0].second = "evil.example"; }) == message_fault::wrong_signature);
    CHECK(!scheme().presign(q, keys(), then, 0s));
    CHECK(!scheme().presign(q, keys(), then, 604'801s));
}

TEST_CASE("sigv4: a scheme of the policies")
{
    test::manual_wall clock{then};
    raw_request sent;
    weir::pipeline client{weir::add_signature{scheme(), keys(), std::ref(clock)}, [&](raw_request const& r) {
                              sent = r;
                              return 0;
                          }};
    raw_request const r = order();
    REQUIRE(client(r).has_value());
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)},
                           [](raw_request const&, weir::view<weir::principal> who) { return who.get<weir::principal>().name; }};
    CHECK(*service(sent) == "AKIDEXAMPLE");
    CHECK(*client.get<weir::add_signature>().settings().service == "service");
    sent.body = "[]";
    CHECK(service(sent).error().kind() == weir::errc::unauthenticated);
}

TEST_CASE("sigv4: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS(scheme({.region = "", .service = "s"}), "region: expected a name without slashes, commas and spaces",
                         std::invalid_argument);
    CHECK_THROWS_AS(scheme({.region = "r", .service = "a/b"}), std::invalid_argument);
    CHECK_THROWS_AS(scheme({.region = "r", .service = "s", .covered = {"a;b"}}), std::invalid_argument);
    CHECK_THROWS_AS(scheme({.region = "r", .service = "s", .skew = -1s}), std::invalid_argument);
}
