// SPDX-License-Identifier: BSL-1.0
#include <weir/http/correlate.hpp>

#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace http = weir::http;

namespace {

constexpr std::string_view parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct seen {
    std::string id, traceparent;
};
seen see(http::request const&, weir::view<weir::correlation_id> v)
{
    auto const& id = v.get<weir::correlation_id>();
    return {std::string(id.key()), std::string(id.traceparent())};
}
http::request with(std::string_view name, std::string_view value)
{
    http::request r("GET", "/");
    r.set(name, value);
    return r;
}

} // namespace

TEST_CASE("correlate: an id that came is kept, on the way in and on the way out")
{
    weir::pipeline svc{weir::correlate{}, [](http::request const&, weir::view<weir::correlation_id> v) {
                           return http::response(http::status::ok, std::string(v.get<weir::correlation_id>().key()));
                       }};
    auto const r = with("X-Correlation-ID", "abc-123");
    auto const answer = svc(r).value();
    CHECK(answer.body() == "abc-123");
    CHECK(weir::header(answer, "x-correlation-id") == "abc-123");
    CHECK(svc.get<weir::correlate>().stats().made == 0);
}

TEST_CASE("correlate: a missing id is made, each time another, and is the trace's")
{
    weir::pipeline svc{weir::correlate{}, see};
    http::request const r("GET", "/");
    auto const one = svc(r).value(), other = svc(r).value();
    CHECK(one.id.size() == 32);
    CHECK(one.id.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(one.id != other.id);
    CHECK(one.traceparent.substr(3, 32) == one.id);
    CHECK(one.traceparent.size() == 55);
    CHECK(svc.get<weir::correlate>().stats().made == 2);
    CHECK(svc(with("traceparent", parent)).value().id == parent.substr(3, 32));
}

TEST_CASE("correlate: a traceparent is kept if it is one")
{
    weir::pipeline svc{weir::correlate{}, see};
    auto const kept = [&](std::string const& text) { return svc(with("traceparent", text)).value().traceparent; };
    std::string const good(parent);
    CHECK(kept(good) == parent);
    CHECK(kept("cc" + good.substr(2) + "-what-the-future-brings") == parent);
    for (std::string const& bad :
         {std::string(), good.substr(1), good + "-x", "ff" + good.substr(2), "cc" + good.substr(2) + ".x", "0G" + good.substr(2),
          "00-" + std::string(32, '0') + good.substr(35), good.substr(0, 36) + std::string(16, '0') + "-01", "00-0AF7" + good.substr(7)}) {
        CAPTURE(bad);
        auto const made = kept(bad);
        CHECK(made.size() == 55);
        CHECK(made.substr(3, 32) != parent.substr(3, 32));
        CHECK(kept(made) == made);
    }
}

TEST_CASE("correlate: a malformed id is refused, or replaced if that is chosen")
{
    weir::pipeline strict{weir::correlate{}, see};
    weir::pipeline lenient{weir::correlate{{.replace_malformed = true}}, see};
    CHECK(strict(with("x-correlation-id", std::string(128, 'x'))).value().id == std::string(128, 'x'));
    for (std::string const& bad :
         {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\x7f"), std::string("\xc3\xa4")}) {
        CAPTURE(bad);
        auto const r = with("x-correlation-id", bad);
        auto const refused = strict.call(r);
        CHECK(refused.result().error() == weir::errc::invalid_request);
        CHECK(refused.reported<weir::violation>()->name == "x-correlation-id");
        CHECK(refused.reported<weir::correlation_id>()->key().size() == 32);
        CHECK(lenient(r).value().id.size() == 32);
    }
    CHECK(strict.get<weir::correlate>().stats().refused == 5);
    for (std::size_t at = 1; at < 19; ++at) // white space around a value is no part of it
        for (int c = 0; c < 256; ++c) {
            std::string id(20, at % 2 == 0 ? '!' : '~');
            id[at] = static_cast<char>(c);
            auto const r = with("x-correlation-id", id);
            if (strict(r).has_value() != (c > ' ' && c <= '~')) FAIL_CHECK("character ", c, " at ", at);
        }
    CHECK(lenient.get<weir::correlate>().stats().made == 5);
}

TEST_CASE("correlate: a missing id is refused where one is required")
{
    weir::pipeline svc{weir::correlate{{.required = true}}, see};
    CHECK(svc(http::request("GET", "/")).error() == weir::errc::invalid_request);
    CHECK(svc(with("x-correlation-id", "a")).value().id == "a");
}

TEST_CASE("correlate: what is refused can be changed while calls come")
{
    weir::pipeline svc{weir::correlate{}, see};
    auto& policy = svc.get<weir::correlate>();
    CHECK(svc(http::request("GET", "/")).has_value());
    policy.reconfigure({.required = true, .replace_malformed = true});
    CHECK(policy.settings().required);
    CHECK(svc(http::request("GET", "/")).error() == weir::errc::invalid_request);
    CHECK(svc(with("x-correlation-id", "not one")).has_value());
    CHECK(policy.stats().refused == 1);
}

TEST_CASE("correlate: the id goes into requests that are sent on")
{
    http::request onward("GET", "/");
    weir::correlation_id("abc", parent).write_to(onward);
    CHECK(weir::header(onward, "x-correlation-id") == "abc");
    CHECK(weir::header(onward, "traceparent") == parent);
}

TEST_CASE("correlate: a traceparent that was made is the same each time it is asked for, and in a copy")
{
    static_assert(std::is_trivially_copyable_v<weir::correlation_id>);
    weir::pipeline svc{weir::correlate{},
                       [](http::request const&, weir::view<weir::correlation_id> v) { return v.get<weir::correlation_id>(); }};
    auto const r = with("x-correlation-id", "abc");
    weir::correlation_id const one = svc(r).value(), copy = one, other = svc(r).value();
    CHECK(one.key() == "abc");
    CHECK(one.traceparent().size() == 55);
    CHECK(one.traceparent() == copy.traceparent());
    CHECK(one.traceparent() != other.traceparent());
    http::request onward("GET", "/");
    copy.write_to(onward);
    CHECK(weir::header(onward, "traceparent") == one.traceparent());
    CHECK(weir::correlation_id().key().empty());
    CHECK(weir::correlation_id().traceparent().empty());
}
