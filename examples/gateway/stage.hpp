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
#include <memory>
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
        : file_(file),
          log_(log),
          quotes_(beside_this_program("gateway_upstream"), with(keys, "quotes"), log),
          orders_(beside_this_program("gateway_upstream"), with(keys, "orders"), log)
    {
        quotes_port = port_in(said(quotes_, "the quotes service"), "listening on ");
        orders_port = port_in(said(orders_, "the orders service"), "listening on ");
        changes.push_back(fmt::format("/upstreams/quotes/port={}", quotes_port));
        changes.push_back(fmt::format("/upstreams/orders/port={}", orders_port));
        settings = read_config(file, changes);

        gateway_.emplace(beside_this_program("gateway"), words_of(file, changes), log);
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
    /// What the gateway, which has ended, said beside its errors.
    [[nodiscard]] std::string rest_said()
    {
        std::string lines;
        while (auto const line = gateway_->next_line(std::chrono::seconds(1))) (lines += *line) += '\n';
        return lines;
    }

    /// Another gateway, on ports of its own, whose services are somewhere else. It ends with what this gives.
    struct other_gateway {
        std::unique_ptr<process> itself;
        std::uint16_t port;
    };
    [[nodiscard]] other_gateway another(demo_keys const& keys, std::uint16_t quotes, std::uint16_t orders) const
    {
        std::vector<std::string> changes = keys.settings();
        changes.insert(changes.end(), {"/listen/port=0", "/actuator/port=0", fmt::format("/upstreams/quotes/port={}", quotes),
                                       fmt::format("/upstreams/orders/port={}", orders)});
        auto itself = std::make_unique<process>(beside_this_program("gateway"), words_of(file_, changes), log_);
        std::uint16_t const listening = port_in(said(*itself, "the other gateway"), "listening on ");
        return {std::move(itself), listening};
    }

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

    static std::vector<std::string> words_of(std::string const& file, std::vector<std::string> const& changes)
    {
        std::vector<std::string> words;
        for (std::string const& change : changes) {
            words.emplace_back("--set");
            words.push_back(change);
        }
        words.push_back(file);
        return words;
    }

    std::string file_, log_;
    process quotes_;
    process orders_;
    std::optional<process> gateway_;
};

} // namespace gateway
