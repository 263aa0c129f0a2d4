// SPDX-License-Identifier: BSL-1.0
// Starts two services and the gateway, sends real traffic in scenes, and checks that the gateway does with it what it should.
// usage: gateway_demo [--quick | --serve]
//   --quick   the same scenes, shorter
//   --serve   no scenes: the gateway stays on its port for curl, until Ctrl-C
#include "config.hpp"
#include "process.hpp"
#include "scene.hpp"
#include "scenes.hpp"
#include "visitor.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace fs = std::filesystem;
using gateway::process;
using namespace std::chrono_literals;

namespace {

/// The programs of this demo lie in one folder, with the gateway's settings.
fs::path const folder = fs::read_symlink("/proc/self/exe").parent_path();

/// The number behind `mark` in what a program said first.
std::uint16_t port_in(std::string_view line, std::string_view mark)
{
    auto const at = line.find(mark);
    std::uint16_t port = 0;
    if (at != std::string_view::npos) std::from_chars(line.data() + at + mark.size(), line.data() + line.size(), port);
    return port;
}

/// The services, and the gateway before them. All of them end with this object.
class stage {
public:
    /// Errors of the programs go to a file, or where ours go if `log` is empty. `changes` are made to the gateway's settings.
    stage(std::string const& log, std::vector<std::string> changes)
        : quotes_(program("gateway_upstream"), {"quotes"}, log), orders_(program("gateway_upstream"), {"orders"}, log)
    {
        quotes_port = port_in(said(quotes_, "the quotes service"), "listening on ");
        orders_port = port_in(said(orders_, "the orders service"), "listening on ");
        changes.push_back(fmt::format("/upstreams/quotes/port={}", quotes_port));
        changes.push_back(fmt::format("/upstreams/orders/port={}", orders_port));
        settings = gateway::read_config(file, changes);

        std::vector<std::string> words;
        for (std::string const& change : changes) {
            words.emplace_back("--set");
            words.push_back(change);
        }
        words.push_back(file);
        gateway_.emplace(program("gateway"), std::move(words), log);
        std::string const line = said(*gateway_, "the gateway");
        port = port_in(line, "listening on ");
        actuator_port = port_in(line, "actuator on ");
    }

    /// The names of the programs that have ended by themselves; empty if none has.
    [[nodiscard]] std::string ended()
    {
        if (!gateway_->running()) return "the gateway";
        return quotes_.running() ? "" : "the quotes service";
    }
    [[nodiscard]] process& orders() noexcept { return orders_; }
    /// Lets the gateway finish what it does; its exit status.
    int end_gateway() { return gateway_->end(); }

    gateway::config settings;
    std::uint16_t quotes_port = 0, orders_port = 0, port = 0, actuator_port = 0;

private:
    static std::string program(std::string_view name) { return (folder / name).string(); }
    static std::string said(process& p, std::string_view name)
    {
        if (auto line = p.first_line(10s)) return *line;
        throw std::runtime_error(fmt::format("{} did not start", name));
    }

    std::string file = (folder / "gateway.json").string();
    process quotes_;
    process orders_;
    std::optional<process> gateway_;
};

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
    stage all({}, {});
    fmt::print(R"(The gateway listens on 127.0.0.1:{0}, its actuator on {1}; the services on {2} (quotes) and {3} (orders). Try:

  curl -i -H 'x-correlation-id: me-1' 'http://127.0.0.1:{0}/quotes?symbol=ACME'
  curl -i -H 'x-correlation-id: me-2' 'http://127.0.0.1:{0}/quotes?symbol=NONE'
  curl -i 'http://127.0.0.1:{0}/quotes?limit=3'
  curl -i -H 'x-correlation-id: me-4' -H 'content-type: application/json' -d '{{}}' http://127.0.0.1:{0}/orders
  curl -i http://127.0.0.1:{1}/actuator/health

POST /control?mode=slow (or fail, or ok) to a service, and see what the gateway makes of it. Ctrl-C ends all of it.
)",
               all.port, all.actuator_port, all.quotes_port, all.orders_port);
    std::fflush(stdout);
    asio::io_context context(1);
    bool interrupted = false;
    run(context, all, interrupted);
    return 0;
}

int play(double length, std::string const& log)
{
    asio::io_context context(1);
    stage all(log, {"/listen/port=0", "/actuator/port=0"});
    gateway::visitor guest(context, all.port, all.actuator_port, all.quotes_port, all.orders_port);
    gateway::scenes scenes(context, guest, all.settings, all.orders(), length);

    fmt::print("Two services, the gateway before them on port {}, and clients that send real HTTP, in eight scenes.\n\n", all.port);
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
    std::string const log = (folder / "gateway_demo.log").string();
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
