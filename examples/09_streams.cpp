// SPDX-License-Identifier: BSL-1.0
// Lesson 9: what if an answer is long, or never ends?
//
// A download goes out in chunks, as fast as its reader takes them; a page that wants to be told of every price gets server-sent events. Both
// are streams: the handler returns at once, and the body is written behind it. `weir::held` keeps the permits of the policies until the
// stream ends: a place of the bulkhead is taken that long, and the breaker learns how it ended, not how it began.
#include "lesson.hpp"

#include <weir/core/held.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/client.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/server.hpp>
#include <weir/http/server_sent_events.hpp>
#include <weir/http/streamed_response.hpp>
#include <weir/resilience/bulkhead.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

using stream = weir::held<http::streamed_response>;

/// A statement of a million lines: nobody holds it in memory, neither here nor there.
asio::awaitable<weir::result<void>> write_statement(http::body_writer& to)
{
    std::string lines;
    for (int i = 1; i <= 1'000'000; ++i) {
        lines.append("line ").append(std::to_string(i)).append("\n");
        if (lines.size() < 32'768 && i < 1'000'000) continue;
        if (auto const sent = co_await to.write(lines); !sent) co_return sent.error(); // the reader has gone
        lines.clear();
    }
    co_return weir::result<void>();
}

/// Three prices, as events.
asio::awaitable<weir::result<void>> write_prices(http::body_writer& to)
{
    for (int price = 101; price <= 103; ++price) {
        std::string text, event;
        text = "{\"price\":" + std::to_string(price) + "}";
        http::append_event(event, {.data = text, .event = "price", .id = std::to_string(price)});
        if (auto const sent = co_await to.write(event); !sent) co_return sent.error();
    }
    co_return weir::result<void>();
}

asio::awaitable<weir::result<stream>> answer(http::request const& r)
{
    if (r.path() == "/statement") co_return stream(http::streamed_response(http::status::ok, "text/plain", &write_statement));
    if (r.path() == "/prices") co_return stream(http::streamed_response(http::status::ok, "text/event-stream", &write_prices));
    co_return weir::errc::not_found;
}

/// Reads to the end, or as many bytes as it likes; gives how many there were, and the first of them.
asio::awaitable<std::pair<std::size_t, std::string>> read(http::client& client, http::upstream const& from, std::string_view path,
                                                          std::size_t most)
{
    http::request const r("GET", path);
    auto came = co_await client.stream(from, r);
    if (!came) co_return std::pair{std::size_t{0}, std::string(to_string(came.error().kind()))};
    std::pair<std::size_t, std::string> seen{0, {}};
    while (seen.first < most) {
        weir::result<std::string_view> const piece = co_await came->body().read();
        if (!piece || piece->empty()) break;
        seen.first += piece->size();
        if (seen.second.size() < 200) seen.second.append(piece->substr(0, 200));
    }
    co_return seen;
}

template<class T>
T run(asio::io_context& context, asio::awaitable<T> work)
{
    T made{};
    bool ended = false;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T value) {
        if (thrown != nullptr) std::rethrow_exception(thrown);
        made = std::move(value);
        ended = true;
    });
    while (!ended) context.run_one();
    return made;
}

} // namespace

int main()
{
    lesson nine("Streams");
    asio::io_context context(1);
    weir::pipeline svc{weir::bulkhead{{.max_concurrent = 1}}, &answer};
    http::server server(context.get_executor(), http::edge(svc), {});
    http::client client(context.get_executor());
    http::upstream const here("127.0.0.1", server.port());
    auto const inside = [&] { return svc.get<weir::bulkhead>().stats().inside; };
    constexpr std::size_t all = static_cast<std::size_t>(-1);

    auto const [bytes, first] = run(context, read(client, here, "/statement", all));
    nine.shows("a million lines came in chunks: " + std::to_string(bytes) + " bytes", bytes == 11'888'896 && first.starts_with("line 1\n"));
    auto const [size, events] = run(context, read(client, here, "/prices", all));
    nine.shows("events as a browser reads them: " + events.substr(0, 12) + "...",
               events.starts_with("event: price\nid: 101\ndata: {\"price\":101}\n\n") && size == events.size());
    nine.shows("when a stream has ended its place is free", inside() == 0);

    // A reader that takes some of it, and waits: the server waits, too, and the place stays taken.
    http::request const r("GET", "/statement");
    {
        auto slow = [&]() -> asio::awaitable<std::uint64_t> {
            auto came = co_await client.stream(here, r);
            static_cast<void>(co_await came->body().read());
            auto const refused = co_await client.send(here, r); // on another connection
            co_return refused && refused->result_int() == 503 ? inside() : 99;
        };
        auto reading = slow();
        nine.shows("while one reads, the next is refused", run(context, std::move(reading)) == 1);
    }
    while (inside() != 0) context.run_one(); // that reader has gone: the server finds out when it writes
    nine.shows("a reader that goes gives its place back", inside() == 0);
    return nine.exit_status();
}
