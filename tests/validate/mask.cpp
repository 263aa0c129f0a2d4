// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/mask.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using house = weir::mask<weir::hide<"password", "*token*", "authorization">, weir::show_last<4, "iban", "card*">>;

static_assert(house::of("Password") == weir::visibility::hidden && house::of("X-Access-Token") == weir::visibility::hidden);
static_assert(house::of("pass_word") == weir::visibility::hidden && house::of("passwords") == weir::visibility::shown);
static_assert(house::of("card_number") == weir::visibility::last_characters && house::of("discard") == weir::visibility::shown);
static_assert(house::of("") == weir::visibility::shown && weir::mask<>::of("password") == weir::visibility::shown);

struct plain_request {
    friend std::string_view weir_method(plain_request const&) { return "GET"; }
    friend std::string_view weir_target(plain_request const&) { return "/x?token=1"; }
};

TEST_CASE("mask: by name, whatever its case, dashes and underscores")
{
    CHECK(house::header("Authorization", "Bearer abc") == "***");
    CHECK(house::value("refreshToken", "x") == "***");
    CHECK(house::value("IBAN", "DE89370400440532013000") == "***3000");
    CHECK(house::value("iban", "DE89 3704 0044 0532 0130 00") == "***3000");
    CHECK(house::value("iban", "1234567") == "***");
    CHECK(house::value("iban", "") == "***");
    CHECK(house::value("name", "ann") == "ann");
    CHECK(weir::common_mask::header("Cookie", "sid=1") == "***");
    CHECK(weir::common_mask::header("X-Forwarded-Authorization", "x") == "***");
    CHECK(weir::common_mask::header("X-API-Key", "k") == "***");
}

TEST_CASE("mask: what looks like a secret is hidden wherever it stands")
{
    CHECK(house::text("paid with 4111 1111 1111 1111 today") == "paid with ***1111 today");
    CHECK(house::text("4111-1111-1111-1111") == "***1111");
    CHECK(house::text("4111111111111111") == "***1111");
    CHECK(house::text("4111111111111112") == "4111111111111112"); // no card: its check digit is wrong
    CHECK(house::text("to DE89370400440532013000.") == "to ***3000.");
    CHECK(house::text("to DE89 3704 0044 0532 0130 00!") == "to ***3000!");
    CHECK(house::text("order 1234567890123") == "order 1234567890123");
    CHECK(house::text("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln b") == "a *** b");
    CHECK(house::text("Bearer abcdefghij") == "Bearer ***");
    CHECK(house::text("Bearer   abcdefghij") == "Bearer   ***");
    CHECK(house::json(R"({"4111111111111111":1,"eyJhbGciOiJIUzI1NiJ9.e30.c2ln":{"card":12}})") == R"({"***1111":1,"***":{"card":"***"}})");
    CHECK(house::text("the bearer is tired, basic stuff") == "the bearer is tired, basic stuff");
    CHECK(house::text("550e8400-e29b-41d4-a716-446655440000") == "550e8400-e29b-41d4-a716-446655440000");
}

TEST_CASE("mask: nothing writes a line of its own")
{
    CHECK(house::text("a\r\nb\x1b[2J\x7f") == "a\\x0d\\x0ab\\x1b[2J\\x7f");
    CHECK(house::target("/a\nb?c=d%0ae") == "/a\\x0ab?c=d\\x0ae");
    CHECK(house::value("name", "x\ny") == "x\\x0ay");
    // The white space of a JSON text; a control within a name.
    CHECK(house::json("{\n\"2026-11-23 admin: came in\": 1,\r\n\t\"a\x7f\": [\n] }") ==
          R"({ "2026-11-23 admin: came in": 1,   "a\\x7f": [ ] })");
    CHECK(house::json("{\n\"password\" :\n{\"a\":\n1}}\n") == R"({ "password" : "***"} )");
    // Unicode's controls and line ends, what turns the direction of writing round, and bytes that are no text.
    CHECK(house::text("\xc2\x9b"
                      "2J") == "\\xc2\\x9b2J");
    CHECK(house::text("a\xe2\x80\xa8"
                      "b\xe2\x80\xae"
                      "c\xe2\x81\xa6") == "a\\xe2\\x80\\xa8b\\xe2\\x80\\xaec\\xe2\\x81\\xa6");
    CHECK(house::text("\x9b\xff\xc3") == "\\x9b\\xff\\xc3");
    CHECK(house::text("Gr\xc3\xbc\xc3\x9f"
                      "e, \xe2\x82\xac 5, \xf0\x9f\x98\x80") == "Gr\xc3\xbc\xc3\x9f"
                                                                "e, \xe2\x82\xac 5, \xf0\x9f\x98\x80");
    CHECK(house::json(R"(["a\u009b\u2028"])") == R"(["a\\xc2\\x9b\\xe2\\x80\\xa8"])");
}

TEST_CASE("mask: a target's parameters by their decoded names")
{
    CHECK(house::target("/pay?iban=DE89370400440532013000&x=1&access_token=abc&password") ==
          "/pay?iban=***3000&x=1&access_token=***&password");
    CHECK(house::target("/pay?p%61ssword=geheim&q=a%20b") == "/pay?p%61ssword=***&q=a%20b");
    CHECK(house::target("/pay?%zz=geheim&a=%zz") == "/pay?%zz=***&a=***");
    CHECK(house::target("/cards/4111111111111111/x?card=4111+1111+1111+1111") == "/cards/***1111/x?card=***1111");
    CHECK(house::target("/x?q=4111%201111%201111%201111") == "/x?q=***1111");
    CHECK(house::target("/x?") == "/x?");
    CHECK(house::target("") == "");
    CHECK(house::form("password=x&a=b&") == "password=***&a=b&");
    // Of segments, and behind a semicolon; what is hidden is hidden to its end.
    CHECK(house::target("/a;token=x/b;v=1;password=y;z/c?d=1;password=z;w&e=2;f;g=3&iban=1;2") ==
          "/a;token=***/b;v=1;password=***/c?d=1;password=***&e=2;f;g=3&iban=***");
    CHECK(weir::common_mask::target("/login;jsessionid=1A2B?x=1") == "/login;jsessionid=***?x=1");
    CHECK(house::target("https://ann:geheim@bank.example:443/x?y=1@2") == "https://***@bank.example:443/x?y=1@2");
    CHECK(house::target("https://bank.example/x@y") == "https://bank.example/x@y");
    CHECK(house::target("/a://b:c@d/") == "/a://b:c@d/");
    CHECK(house::request_line(plain_request{}) == "GET /x?token=***");
}

TEST_CASE("mask: a JSON text's members at any depth, and all of what has a hidden name")
{
    CHECK(house::json(R"({"user":"ann","password":"geheim","n":1})") == R"({"user":"ann","password":"***","n":1})");
    CHECK(house::json(R"({ "a" : [ { "token" : { "b" : [1, {"c":2}] } , "d":null } ] })") ==
          R"({ "a" : [ { "token" : "***" , "d":null } ] })");
    CHECK(house::json(R"({"password":["a","b"],"x":["c"]})") == R"({"password":"***","x":["c"]})");
    CHECK(house::json(R"({"p\u0061ssword":"x"})") == R"({"p\u0061ssword":"***"})");
    CHECK(house::json(R"({"card":4111111111111111,"password":true,"q":12,"r":4111111111111111})") ==
          R"({"card":"***1111","password":"***","q":12,"r":"***1111"})");
    CHECK(house::json(R"(["4111 1111 1111 1111","a\u0062c\n",{"password":1}])") == R"(["***1111","abc\\x0a",{"password":"***"}])");
    CHECK(house::json(R"("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")") == R"("***")");
    CHECK(house::json(R"({"password":"x)") == "*** (14 bytes that are no JSON)");
    CHECK(house::json("") == "*** (0 bytes that are no JSON)");
    CHECK(house::json(R"({"card":[1],"a":{"iban":{}}})") == R"({"card":"***","a":{"iban":"***"}})");
}

TEST_CASE("mask: like_name against a plain matcher, random names")
{
    struct plainly {
        static bool match(std::string_view p, std::string_view n)
        {
            if (p.empty()) return n.empty();
            if (p[0] == '*') return match(p.substr(1), n) || (!n.empty() && match(p, n.substr(1)));
            return !n.empty() && p[0] == n[0] && match(p.substr(1), n.substr(1));
        }
        static std::string reduced(std::string_view text)
        {
            std::string made;
            for (char const c : text)
                if (c != '-' && c != '_') made += weir::detail::ascii_lower(c);
            return made;
        }
    };
    std::mt19937_64 draw(31);
    auto const text = [&](std::string_view of) {
        std::string made;
        for (auto n = draw() % 8; n > 0; --n) made += of[draw() % of.size()];
        return made;
    };
    std::size_t matched = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string const pattern = text("aAb*-_*"), name = text("aAbB-_");
        bool const wanted = plainly::match(plainly::reduced(pattern), plainly::reduced(name));
        if (weir::detail::like_name(pattern, name) != wanted) FAIL(pattern, " ", name);
        matched += wanted;
    }
    CHECK(matched > 1'000);
}

TEST_CASE("mask: no secret of a random request is ever shown")
{
    std::mt19937_64 draw(41);
    std::vector<std::string> const names{"password", "Access-Token", "authorization", "user", "note"};
    for (int round = 0; round < 20'000; ++round) {
        std::string secret = "geheim";
        for (auto n = draw() % 4; n > 0; --n) secret += static_cast<char>('a' + draw() % 26);
        std::string target = "/x?", json = "{";
        bool const nested = draw() % 2;
        for (std::string const& name : names) {
            bool const hidden = house::of(name) == weir::visibility::hidden;
            std::string const value = hidden ? secret : "open" + std::to_string(draw() % 10);
            target += name + '=' + value + '&';
            json += (json.size() > 1 ? "," : "") + ("\"" + name + "\":") +
                    (nested && hidden ? "{\"a\":[\"" + value + "\"]}" : "\"" + value + "\"");
        }
        json += "}";
        std::string const shown = house::target(target), told = house::json(json);
        if (shown.find("geheim") != std::string::npos || told.find("geheim") != std::string::npos) FAIL(shown, " ", told);
        if (shown.find("user=open") == std::string::npos || told.find("\"user\":\"open") == std::string::npos) FAIL(shown, " ", told);
        if (round % 4 == 0) { // cut anywhere
            std::string const cut = house::json(json.substr(0, draw() % json.size()));
            if (cut.find("geheim") != std::string::npos) FAIL(cut);
        }
    }
}

} // namespace
