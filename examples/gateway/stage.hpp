// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config.hpp"
#include "demo_keys.hpp"
#include "process.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

/// The programs of the gateway lie in one folder, with its settings.
inline std::string beside_this_program(std::string_view name)
{
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

/// The number behind `mark` in what a program said first.
inline std::uint16_t port_in(std::string_view line, std::string_view mark)
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
    stage(std::string const& file, demo_keys const& keys, std::string const& log, std::vector<std::string> changes)
        : quotes_(beside_this_program("gateway_upstream"), with(keys, "quotes"), log),
          orders_(beside_this_program("gateway_upstream"), with(keys, "orders"), log)
    {
        quotes_port = port_in(said(quotes_, "the quotes service"), "listening on ");
        orders_port = port_in(said(orders_, "the orders service"), "listening on ");
        changes.push_back(fmt::format("/upstreams/quotes/port={}", quotes_port));
        changes.push_back(fmt::format("/upstreams/orders/port={}", orders_port));
        settings = read_config(file, changes);

        std::vector<std::string> words;
        for (std::string const& change : changes) {
            words.emplace_back("--set");
            words.push_back(change);
        }
        words.push_back(file);
        gateway_.emplace(beside_this_program("gateway"), std::move(words), log);
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
    [[nodiscard]] process& itself() noexcept { return *gateway_; }
    /// Lets the gateway finish what it does; its exit status.
    int end_gateway() { return gateway_->end(); }

    config settings;
    std::uint16_t quotes_port = 0, orders_port = 0, port = 0, actuator_port = 0;

private:
    static std::vector<std::string> with(demo_keys const& keys, std::string_view name)
    {
        std::vector<std::string> words{std::string(name), "0"};
        for (std::string const& each : keys.public_names()) words.push_back(each);
        return words;
    }
    static std::string said(process& p, std::string_view name)
    {
        if (auto line = p.next_line(std::chrono::seconds(10))) return *line;
        throw std::runtime_error(fmt::format("{} did not start", name));
    }

    process quotes_;
    process orders_;
    std::optional<process> gateway_;
};

} // namespace gateway
