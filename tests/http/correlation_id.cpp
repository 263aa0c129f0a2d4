// SPDX-License-Identifier: BSL-1.0
#include <weir/http/correlation_id.hpp>

#include <weir/http/message.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace http = weir::http;

namespace {

constexpr std::string_view parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

} // namespace

TEST_CASE("correlation_id: keeps its id and its traceparent, and borrows neither")
{
    std::optional<weir::correlation_id> kept;
    {
        std::string id = "order-17", trace(parent);
        kept.emplace(id, trace);
        id.assign(id.size(), '?');
        trace.assign(trace.size(), '?');
    }
    weir::correlation_id const copy = *kept;
    kept.reset();
    CHECK(copy.key() == "order-17");
    CHECK(copy.traceparent() == parent);
}

TEST_CASE("correlation_id: the longest id is kept whole, what goes beyond is cut; none is empty")
{
    std::string const longest(weir::correlation_id::longest, 'i');
    CHECK(weir::correlation_id(longest, parent).key() == longest);
    CHECK(weir::correlation_id(longest + "x", parent).key() == longest);
    CHECK(weir::correlation_id{}.key().empty());
    CHECK(weir::correlation_id{}.traceparent().empty());
}

TEST_CASE("correlation_id: goes into a request in the place of what stood there")
{
    http::request r("GET", "/");
    r.set("X-Correlation-Id", "another");
    r.set("traceparent", "another");
    weir::correlation_id("mine", parent).write_to(r);
    CHECK(weir::header(r, weir::correlation_id::field) == "mine");
    CHECK(weir::header(r, "traceparent") == parent);
}

TEST_CASE("correlation_id: a traceparent that was made is written the same each time, and by copies")
{
    weir::correlation_id const made("m", http::detail::trace_parent(std::string_view("no traceparent")));
    std::string const first = made.traceparent();
    CHECK(first.size() == parent.size());
    CHECK(made.traceparent() == first);
    weir::correlation_id const copy = made;
    CHECK(copy.traceparent() == first);
    CHECK(first != weir::correlation_id("m", http::detail::trace_parent(std::string_view())).traceparent());
    // What was made is good enough to be taken by the next service.
    CHECK(weir::correlation_id("n", http::detail::trace_parent(std::string_view(first))).traceparent() == first);
}
