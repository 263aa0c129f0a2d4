// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/authorize.hpp>

#include "request.hpp"
#include "verified_claims.hpp"

#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using weir::either;
using weir::has_role;
using weir::has_scope;
using weir::on;

using test::knows;

int answer(test::request const&)
{
    return 1;
}
test::request asking(std::string verb, std::string path, std::string claims)
{
    test::request r{.verb = std::move(verb), .path = std::move(path), .content = {}};
    if (!claims.empty()) r.fields["claims"] = std::move(claims);
    return r;
}
/// `passed`, or the error and what was expected.
template<class Pipeline>
std::string told(Pipeline& svc, test::request const& r)
{
    auto const reply = svc.call(r);
    if (reply.result().has_value()) return "passed";
    return std::string(to_string(reply.result().error().kind())) + ": " +
           reply.template reported<weir::violation>().value_or(weir::violation{}).expected;
}

} // namespace

TEST_CASE("authorize: all conditions have to hold, and who is not known is asked to prove it")
{
    weir::pipeline svc{knows{}, weir::authorize<has_role<"teller">, has_scope<"accounts:read", "accounts:write">>{}, answer};
    auto const with = [&](std::string claims) { return told(svc, asking("GET", "/", std::move(claims))); };
    CHECK(with(R"({"sub":"bob","roles":["clerk","teller"],"scope":"accounts:write accounts:read"})") == "passed");
    CHECK(with(R"({"sub":"bob","roles":"teller","scp":["accounts:write","accounts:read"]})") == "passed");
    CHECK(with(R"({"sub":"bob","roles":["tellers"],"scope":"accounts:write accounts:read"})") == "forbidden: the role teller");
    CHECK(with(R"({"sub":"bob","roles":["teller"],"scope":"accounts:read"})") == "forbidden: the scope accounts:read accounts:write");
    CHECK(with(R"({"sub":"bob","roles":{"teller":true}})") == "forbidden: the role teller");
    auto const unknown = svc.call(asking("GET", "/", ""));
    CHECK(unknown.result().error() == weir::errc::unauthenticated);
    CHECK(unknown.reported<weir::challenge>() == weir::challenge{"Bearer"});
    CHECK(svc.get<weir::authorize>().stats().forbidden == 3);
    CHECK(svc.get<weir::authorize>().stats().unauthenticated == 1);
}

TEST_CASE("authorize: claims deeper, values, functions of claims and request, principals")
{
    constexpr auto of_branch = [](weir::claims const& c, test::request const& r) {
        return c.text("branch").value_or("?") == weir::header(r, "x-branch").value_or("!");
    };
    weir::pipeline svc{knows{},
                       weir::authorize<either<has_role<"teller", "realm_access/roles">, weir::claim_is<"tenant", "north">>,
                                       weir::claims_meet<of_branch, "the branch of the request">, weir::is_principal<"bob", "ann">>{},
                       answer};
    auto const with = [&](std::string claims) {
        auto r = asking("GET", "/", std::move(claims));
        r.fields["x-branch"] = "7";
        return told(svc, r);
    };
    CHECK(with(R"({"sub":"bob","branch":"7","realm_access":{"roles":["teller"]}})") == "passed");
    CHECK(with(R"({"sub":"ann","branch":"7","tenant":"north"})") == "passed");
    CHECK(with(R"({"sub":"ann","branch":"7","tenant":"south"})") == "forbidden: the role teller, or another value of the claim tenant");
    CHECK(with(R"({"sub":"ann","branch":"8","tenant":"north"})") == "forbidden: the branch of the request");
    CHECK(with(R"({"sub":"eve","branch":"7","tenant":"north"})") == "forbidden: another principal");
}

using by_route = weir::authorize<on<"GET", "/accounts/*", has_scope<"read">>, on<"*", "/accounts/{id}/limits", has_role<"manager">>,
                                 on<"*", "/accounts/*", either<has_role<"teller">, has_role<"manager">>>, on<"*", "/">>;

TEST_CASE("authorize: the first rule that is about the request decides, and what no rule is about is closed")
{
    weir::pipeline svc{knows{}, by_route{}, answer};
    std::string const reader = R"({"sub":"a","scope":"read"})", teller = R"({"sub":"b","roles":["teller"]})",
                      manager = R"({"sub":"c","roles":["manager"]})";
    CHECK(told(svc, asking("GET", "/accounts/7", reader)) == "passed");
    CHECK(told(svc, asking("HEAD", "/accounts/7?x=1", reader)) == "passed");
    CHECK(told(svc, asking("GET", "/accounts", reader)) == "passed");
    CHECK(told(svc, asking("GET", "/accounts/7", teller)) == "forbidden: the scope read");
    CHECK(told(svc, asking("PUT", "/accounts/7/limits", teller)) == "forbidden: the role manager");
    CHECK(told(svc, asking("PUT", "/accounts/7/limits", manager)) == "passed");
    CHECK(told(svc, asking("PUT", "/accounts/7", teller)) == "passed");
    CHECK(told(svc, asking("PUT", "/accounts/7", reader)) == "forbidden: the role teller, or the role manager");
    CHECK(told(svc, asking("POST", "/", reader)) == "passed");
    std::string const closed = "forbidden: a request that the rules of its route are about";
    CHECK(told(svc, asking("GET", "/other", manager)) == closed);
    CHECK(told(svc, asking("GET", "/accountsx", manager)) == closed);
}

TEST_CASE("authorize: no spelling of a path gets past the rule that guards it")
{
    weir::pipeline svc{knows{}, by_route{}, answer};
    std::string const teller = R"({"sub":"b","roles":["teller"]})";
    for (std::string_view path : {"/accounts/7/limits",         "/accounts/7/limits/",     "/accounts/7/%6cimits",
                                  "/%61ccounts/7/limits",       "/accounts/7/limits;a=b",  "/accounts;x/7/limits",
                                  "http://h/accounts/7/limits", "/accounts/7//limits",     "//accounts/7/limits",
                                  "/accounts/7/./limits",       "/accounts/7/x/../limits", "/accounts/7/%2e/limits",
                                  "/accounts/7%2flimits",       "/accounts/7%252flimits",  "/accounts/7\\limits",
                                  "/accounts/7%5climits",       "/accounts/7/limits%00",   "/accounts/7/..;/7/limits",
                                  "/accounts/7/;/limits",       "accounts/7/limits",       ""})
        CHECK_MESSAGE(told(svc, asking("PUT", std::string(path), teller)) != "passed", path);
    CHECK(told(svc, asking("PUT", "/accounts/7/a%20b", teller)) == "passed");
}

TEST_CASE("authorize: random paths against rules read plainly")
{
    weir::pipeline svc{knows{}, by_route{}, answer};
    std::mt19937_64 draw(19);
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::string> parts;
        constexpr std::string_view words[] = {"accounts", "limits", "7", "x"};
        for (auto n = draw() % 5; n > 0; --n) parts.emplace_back(words[draw() % 4]);
        std::string path = parts.empty() ? "/" : "";
        for (std::string const& p : parts) path += '/' + p;
        bool const get = draw() % 2;
        std::string const claims[] = {R"({"sub":"a","scope":"read"})", R"({"sub":"b","roles":["teller"]})",
                                      R"({"sub":"c","roles":["manager"]})"};
        std::size_t const who = draw() % 3;
        bool const below = !parts.empty() && parts[0] == "accounts";
        bool wanted = parts.empty();
        if (below && get)
            wanted = who == 0;
        else if (below && parts.size() == 3 && parts[2] == "limits")
            wanted = who == 2;
        else if (below)
            wanted = who != 0;
        bool const passed = told(svc, asking(get ? "GET" : "PUT", path, claims[who])) == "passed";
        if (passed != wanted) FAIL(path, " ", get, " ", who);
    }
}
