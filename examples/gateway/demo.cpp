// SPDX-License-Identifier: BSL-1.0
// Starts two services and the gateway, sends real traffic in scenes, and checks that the gateway does with it what it should.
// usage: gateway_demo [--quick | --serve]
//   --quick   the same scenes, shorter
//   --serve   no scenes: the gateway stays on its port for curl, until Ctrl-C
#include "config.hpp"
#include "demo_keys.hpp"
#include "leaks.hpp"
#include "props.hpp"
#include "scene.hpp"
#include "scenes.hpp"
#include "stage.hpp"
#include "visitor.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using gateway::stage;
using namespace std::chrono_literals;

namespace {

/// Runs until the context is stopped, a signal comes or one of the programs ends; that one is thrown as an error.
void run(asio::io_context& context, stage& all, bool& interrupted)
{
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code failed, int) {
        interrupted = !failed;
        context.stop();
    });
    std::string ended;
    asio::steady_timer timer(context);
    std::function<void()> const watch = [&] {
        timer.expires_after(200ms);
        timer.async_wait([&](boost::system::error_code) {
            ended = all.ended();
            ended.empty() ? watch() : context.stop();
        });
    };
    watch();
    context.run();
    if (!ended.empty() && !interrupted) throw std::runtime_error(ended + " has ended");
}

int serve()
{
    gateway::demo_keys const keys;
    stage all(gateway::beside_this_program("gateway.json"), keys, {}, keys.settings());
    fmt::print(R"(The gateway listens on 127.0.0.1:{0}, its actuator on {1}; the services on {2} (quotes) and {3} (orders). Try,
with a token that is good for an hour, on one device:

  token={4}
  curl -i -H "authorization: Bearer $token" -H 'x-device-id: till-7' -H 'x-correlation-id: me-1' 'http://127.0.0.1:{0}/quotes?symbol=ACME'
  curl -i -H "authorization: Bearer $token" -H 'x-device-id: till-7' -H 'x-correlation-id: me-2' 'http://127.0.0.1:{0}/quotes?symbol=NONE'
  curl -i -H "authorization: Bearer $token" -H 'x-device-id: till-8' -H 'x-correlation-id: me-3' 'http://127.0.0.1:{0}/quotes?limit=3'
  curl -i 'http://127.0.0.1:{0}/quotes?limit=3'
  curl -i -H 'x-correlation-id: me-4' -H 'content-type: application/json' -d '{{}}' http://127.0.0.1:{0}/orders
  curl -i http://127.0.0.1:{1}/actuator/health

POST /control?mode=slow (or fail, or ok) to a service, and see what the gateway makes of it. Ctrl-C ends all of it.
)",
               all.port, all.actuator_port, all.quotes_port, all.orders_port, keys.issuer.token());
    std::fflush(stdout);
    asio::io_context context(1);
    bool interrupted = false;
    run(context, all, interrupted);
    return 0;
}

int play(double length, std::string const& log)
{
    asio::io_context context(1);
    gateway::demo_keys const keys;
    std::vector<std::string> changes = keys.settings();
    changes.insert(changes.end(), {"/listen/port=0", "/actuator/port=0"});
    stage all(gateway::beside_this_program("gateway.json"), keys, log, changes);
    gateway::visitor guest(context, keys, all.port, all.actuator_port, all.quotes_port, all.orders_port);
    gateway::props props(context, guest, all, keys, length);
    gateway::scenes scenes(props);

    fmt::print("Two services, the gateway before them on port {}, and clients that send real HTTP, in thirteen scenes.\n\n", all.port);
    std::exception_ptr thrown;
    bool interrupted = false;
    asio::co_spawn(context, scenes.play(), [&](std::exception_ptr e) {
        thrown = e;
        context.stop();
    });
    run(context, all, interrupted);
    if (interrupted) {
        fmt::print("\ninterrupted\n");
        return 130;
    }
    if (thrown) std::rethrow_exception(thrown);
    int const status = all.end_gateway();

    fmt::print("\n{}\n", gateway::table_of(scenes.played()));
    int unmet = status == 0 ? 0 : 1;
    if (status != 0) fmt::print("not as expected: the gateway drains and ends with status 0 when it is told to; it was {}\n", status);
    std::vector<std::string> tokens = props.secrets;
    tokens.push_back(guest.token);
    for (std::string const& what : gateway::leaks(log, all.rest_said(), keys, tokens, {"only-for-this-example-7f3a91"})) {
        fmt::print("not as expected: {}\n", what);
        ++unmet;
    }
    for (gateway::scene const& s : scenes.played()) {
        for (std::string const& what : s.unmet()) {
            fmt::print("not as expected: {}: {}\n", s.title(), what);
            ++unmet;
        }
    }
    if (unmet == 0) fmt::print("All as expected.\n");
    return unmet == 0 ? 0 : 1;
}

void print_end_of(std::string const& log)
{
    std::ifstream in(log);
    std::string lines(std::istreambuf_iterator<char>(in), {});
    if (lines.size() > 2'000) lines.erase(0, lines.find('\n', lines.size() - 2'000) + 1);
    if (!lines.empty()) fmt::print(stderr, "{}", lines);
}

} // namespace

int main(int argc, char** argv)
{
    std::string_view const how = argc > 1 ? argv[1] : "";
    if (argc > 2 || (!how.empty() && how != "--quick" && how != "--serve")) {
        fmt::print(stderr, "usage: gateway_demo [--quick | --serve]\n");
        return 2;
    }
    std::string const log = gateway::beside_this_program("gateway_demo.log");
    try {
        if (how == "--serve") return serve();
        std::ofstream(log).close(); // empty
        return play(how == "--quick" ? 0.4 : 1, log);
    } catch (std::exception const& e) {
        fmt::print(stderr, "gateway_demo: {}\n", e.what());
        if (how != "--serve") print_end_of(log);
        return 1;
    }
}
