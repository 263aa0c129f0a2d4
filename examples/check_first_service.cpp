// SPDX-License-Identifier: BSL-1.0
// Starts the first lesson's service and checks that its three policies do what the lesson says.
// usage: check_first_service PROGRAM
#include "gateway/process.hpp"
#include "lesson.hpp"

#include <weir/asio.hpp>
#include <weir/http/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

class client {
public:
    client(asio::io_context& context, std::uint16_t port) : client_(context.get_executor()), service_("127.0.0.1", port) {}

    asio::awaitable<http::response> get(std::string target)
    {
        http::request const r("GET", target);
        weir::result<http::response> came = co_await client_.send(service_, r);
        if (!came) throw std::runtime_error("the service does not answer");
        co_return std::move(*came);
    }

private:
    http::client client_;
    http::upstream service_;
};

asio::awaitable<void> all(client& c, lesson& one)
{
    auto const begun = std::chrono::steady_clock::now();
    http::response const oslo = co_await c.get("/weather?city=Oslo");
    one.shows("a request is answered", oslo.result() == http::status::ok && oslo.body() == "Oslo: 21 degrees\n");
    http::response const nowhere = co_await c.get("/weather");
    one.shows("one without a city is told what is wrong",
              nowhere.result() == http::status::bad_request && nowhere.body().find("query city: expected a name") != std::string::npos);
    http::response const atlantis = co_await c.get("/weather?city=Atlantis");
    one.shows("one that takes too long ends at its deadline",
              atlantis.result() == http::status::gateway_timeout && std::chrono::steady_clock::now() - begun < std::chrono::minutes(1));

    // The thermometer is slower than the limit lets calls in: only answers out of the cache are fast enough to meet it.
    std::optional<http::response> refused;
    int answered = 0;
    for (int i = 0; i < 10'000 && !refused; ++i) {
        http::response came = co_await c.get("/weather?city=Oslo");
        if (came.result() == http::status::ok) ++answered;
        if (came.result() == http::status::too_many_requests) refused.emplace(std::move(came));
    }
    one.shows("the cache answers at once", answered > 0);
    one.shows("and the limit refuses who asks too often, and says when to come back",
              refused && weir::header(*refused, "retry-after").has_value() && refused->body().find("rate_limit") != std::string::npos);
}

} // namespace

int main(int argc, char** argv)
try {
    if (argc != 2) throw std::invalid_argument("usage: check_first_service PROGRAM");
    lesson one("The first service");
    gateway::process service(argv[1], {"0"});
    std::string_view const mark = "listening on ";
    std::string const line = service.next_line(std::chrono::seconds(20)).value_or("nothing");
    std::uint16_t port = 0;
    if (line.starts_with(mark)) std::from_chars(line.data() + mark.size(), line.data() + line.size(), port);
    one.shows("it says where it listens", port != 0);

    asio::io_context context(1);
    client c(context, port);
    std::exception_ptr thrown;
    asio::co_spawn(context, all(c, one), [&](std::exception_ptr e) {
        thrown = e;
        context.stop();
    });
    bool const in_time = context.run_for(std::chrono::seconds(60)) > 0 && context.stopped();
    if (thrown) std::rethrow_exception(thrown);
    one.shows("all within a minute", in_time);
    gateway::process second(argv[1], {std::to_string(port)});
    one.shows("a second one on the same port says so and ends", !second.next_line(std::chrono::seconds(20)) && second.end() == 1);
    one.shows("it ends well when it is asked to", service.end() == 0);
    return one.exit_status();
} catch (std::exception const& e) {
    fmt::print(stderr, "check_first_service: {}\n", e.what());
    return 1;
}
