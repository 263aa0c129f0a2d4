// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "keys.hpp"
#include "section.hpp"

#include <weir/cache/hit_rate_alarm.hpp>
#include <weir/cache/load_limit.hpp>
#include <weir/cache/refresh_ahead.hpp>
#include <weir/cache/store_options.hpp>
#include <weir/http/client.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/key_ring.hpp>
#include <weir/sign/verify_request.hpp>
#include <weir/validate/max_body.hpp>
#include <weir/validate/paging.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

struct listener {
    std::string address;
    std::uint16_t port = 0; ///< 0: any free one
};

/// How many requests each client may make, and for how many clients that is counted.
struct rate_for_each {
    weir::rate client{.permits = 1};
    weir::keyed_options all{.capacity = 1};
};

struct quotes_settings {
    rate_for_each rate;
    weir::store_options cache{.capacity = 1};
    weir::refresh_ahead_options refresh;
    weir::load_limit_options loads{.max_loads = 1};
    double tightened_to = 1; ///< the part of the loads that is left while hits are suddenly rare
    weir::hit_rate_options alarm;
    weir::paging_options page;
    weir::circuit_breaker_options breaker;
    weir::retry_options retry;
    weir::duration timeout{};
    std::vector<std::string> symbols; ///< those that exist
};

struct orders_settings {
    weir::verify_request_options signature{.nonce_capacity = 1};
    rate_for_each rate;
    weir::max_body_options body{.bytes = 0};
    weir::bulkhead_options bulkhead{.max_concurrent = 1};
    weir::circuit_breaker_options breaker;
    weir::duration timeout{};
};

/// All settings of the gateway, in the options of the policies that they are for.
struct config {
    listener listen;
    listener actuator;
    weir::duration drain{};
    weir::http::upstream quotes_upstream{"127.0.0.1"};
    weir::http::upstream orders_upstream{"127.0.0.1"};
    tokens_settings tokens;
    identity_settings identity;
    std::vector<weir::signing_key> keys;
    quotes_settings quotes;
    orders_settings orders;
    json::value written; ///< as it stood in the file, keys and files of keys by their digests
};

/// A configuration that cannot be used. `what()` has a line for each thing that is wrong: the file, the path of the member, what was
/// expected and what was found.
class bad_config : public std::runtime_error {
public:
    bad_config(std::string_view file, complaints const& all) : std::runtime_error(joined(file, all)) {}

private:
    static std::string joined(std::string_view file, complaints const& all)
    {
        std::string lines;
        for (std::string const& one : all) lines += (lines.empty() ? "" : "\n") + std::string(file) + ": " + one;
        return lines;
    }
};

namespace detail {

inline std::uint16_t read_port(section& s, std::uint64_t least)
{
    return static_cast<std::uint16_t>(s.whole("port", least, 65'535));
}
inline listener read_listener(section s)
{
    return {.address = s.address("address"), .port = read_port(s, 0)};
}
inline weir::http::upstream read_upstream(section s)
{
    std::string host = s.text("host");
    return {std::move(host), read_port(s, 1)};
}
inline rate_for_each read_rate(section s)
{
    std::size_t const clients = s.whole<std::size_t>("clients", 1);
    weir::rate const each{.permits = s.whole("permits", 1), .per = s.time("per"), .burst = s.whole("burst", 1)};
    return {.client = s.accepted_by<weir::gcra<>>(each), .all = {.capacity = clients}};
}
inline weir::circuit_breaker_options read_breaker(section s)
{
    weir::circuit_breaker_options const o{.failure_rate = s.ratio("failure_rate"),
                                          .window = s.time("window"),
                                          .minimum_calls = s.whole<std::uint32_t>("minimum_calls", 1),
                                          .open_for = s.time("open_for"),
                                          .probes = s.whole<std::uint32_t>("probes", 1)};
    return s.accepted_by<weir::circuit_breaker<>>(o);
}
inline weir::store_options read_cache(section s)
{
    return {.capacity = s.whole<std::size_t>("capacity", 1, 100'000'000),
            .ttl = s.time("ttl"),
            .jitter = s.ratio("jitter"),
            .negative_ttl = s.time("negative_ttl"),
            .keep_stale = s.time("keep_stale")};
}
inline weir::refresh_ahead_options read_refresh(section& s)
{
    return s.accepted_by<weir::refresh_ahead<>>(weir::refresh_ahead_options{.after = s.ratio("refresh_after")});
}
inline void read_loads(section s, quotes_settings& into)
{
    into.loads = {.max_loads = s.whole<std::uint32_t>("max_loads", 1, 1'000'000), .max_wait = s.time("max_wait")};
    into.tightened_to = s.ratio("tightened_to");
    struct tightening {
        explicit tightening(double to) { weir::expect(to > 0 && to < 1, "tightened_to", "a ratio above 0 and below 1"); }
    };
    static_cast<void>(s.accepted_by<tightening>(into.tightened_to));
}
inline weir::hit_rate_options read_alarm(section s)
{
    weir::hit_rate_options const o{.window = s.time("window"),
                                   .minimum_calls = s.whole<std::uint32_t>("minimum_calls", 1),
                                   .drop = s.ratio("drop"),
                                   .memory = s.time("memory")};
    return s.accepted_by<weir::hit_rate_alarm<>>(o);
}
inline weir::paging_options read_page(section s)
{
    weir::paging_options const o{
        .max_limit = s.whole("max_limit", 1), .default_limit = s.whole("default_limit", 1), .max_offset = s.whole("max_offset", 0)};
    return s.accepted_by<weir::paging>(o);
}
inline weir::retry_options read_retry(section s)
{
    weir::retry_options const o{.max_attempts = s.whole<std::uint32_t>("max_attempts", 1, 3), .base = s.time("base"), .cap = s.time("cap")};
    return s.accepted_by<weir::retry<3>>(o);
}
inline weir::bulkhead_options read_bulkhead(section s)
{
    return {.max_concurrent = s.whole<std::uint32_t>("max_concurrent", 1), .max_wait = s.time("max_wait")};
}
inline weir::signing_key read_key(section& s)
{
    std::string app = s.text("app");
    return {.app = std::move(app), .key = weir::secret(s.hidden_text("key", 16))};
}
inline quotes_settings read_quotes(section s)
{
    quotes_settings made{.rate = read_rate(s.at("rate")),
                         .cache = read_cache(s.at("cache")),
                         .refresh = read_refresh(s),
                         .alarm = read_alarm(s.at("alarm")),
                         .page = read_page(s.at("page")),
                         .breaker = read_breaker(s.at("breaker")),
                         .retry = read_retry(s.at("retry")),
                         .timeout = s.time("timeout"),
                         .symbols = s.texts("symbols")};
    read_loads(s.at("loads"), made);
    return made;
}
inline weir::verify_request_options read_signature(section s)
{
    using std::chrono::ceil, std::chrono::milliseconds;
    return {
        .scheme = {.covered = {"content-type"}, .late = ceil<milliseconds>(s.time("late")), .early = ceil<milliseconds>(s.time("early"))},
        .nonce_capacity = s.whole<std::size_t>("nonces", 1, 10'000'000)};
}
inline orders_settings read_orders(section s)
{
    return {.signature = read_signature(s.at("signature")),
            .rate = read_rate(s.at("rate")),
            .body = {.bytes = s.whole("max_body", 0)},
            .bulkhead = read_bulkhead(s.at("bulkhead")),
            .breaker = read_breaker(s.at("breaker")),
            .timeout = s.time("timeout")};
}

/// The keys of all apps together: what only a ring of them refuses.
inline void check_keys(std::vector<weir::signing_key> const& keys, complaints& wrong)
{
    if (!wrong.empty()) return;
    try {
        static_cast<void>(weir::key_ring<>(std::span(keys)));
    } catch (std::invalid_argument const& refused) {
        wrong.push_back(std::string("/keys: ") + refused.what());
    }
}
/// Nobody has to keep the text of a key to see that it is another one.
inline void hide_keys(json::value& whole, config const& made)
{
    for (json::value& each : whole.at("keys").as_array()) {
        json::value& key = each.at("key");
        key = weir::to_hex(weir::sha256(std::string_view(key.as_string())));
    }
    json::object& tokens = whole.at("tokens").as_object();
    tokens[tokens.contains("key") ? "key" : "jwks"] = made.tokens.digest;
    whole.at_pointer("/identity/key") = made.identity.digest;
}

/// Parses a text, and tells where it is no JSON: `line 3, column 7: syntax error`.
inline json::value parse(std::string_view text, std::string_view file)
{
    json::stream_parser parser;
    boost::system::error_code wrong;
    std::size_t read = parser.write_some(text.data(), text.size(), wrong);
    if (!wrong) read = std::min(text.find_first_not_of(" \t\r\n", read), text.size());
    if (!wrong && read < text.size()) wrong = json::error::extra_data;
    if (!wrong) parser.finish(wrong);
    if (!wrong) return parser.release();
    std::string_view const before = text.substr(0, read);
    auto const line = std::ranges::count(before, '\n') + 1;
    auto const column = read - (before.rfind('\n') + 1) + 1;
    throw bad_config(file, {"line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + wrong.message()});
}

/// Sets one member: `/listen/port=8080`. What is no JSON is a text.
inline void change(json::value& whole, std::string_view setting)
{
    auto const equals = setting.find('=');
    boost::system::error_code wrong;
    json::value* const member = whole.find_pointer(setting.substr(0, equals), wrong);
    if (equals == std::string_view::npos || member == nullptr)
        throw bad_config("--set", {std::string(setting) + ": expected the path of a setting and its value, such as /listen/port=8080"});
    json::value value = json::parse(setting.substr(equals + 1), wrong);
    *member = wrong ? json::value(setting.substr(equals + 1)) : std::move(value);
}

} // namespace detail

/// Reads a configuration, and the files of keys that it names. `changes` are settings that replace those of the file: `/listen/port=8080`.
/// Throws `bad_config` that says all that is wrong with it.
inline config parse_config(std::string_view text, std::string_view file, std::span<std::string const> changes = {})
{
    json::value whole = detail::parse(text, file);
    for (std::string const& each : changes) detail::change(whole, each);

    complaints wrong;
    config made;
    {
        section top(whole, wrong);
        made.listen = detail::read_listener(top.at("listen"));
        made.actuator = detail::read_listener(top.at("actuator"));
        made.drain = top.time("drain");
        section upstreams = top.at("upstreams");
        made.quotes_upstream = detail::read_upstream(upstreams.at("quotes"));
        made.orders_upstream = detail::read_upstream(upstreams.at("orders"));
        std::filesystem::path const folder = std::filesystem::path(file).parent_path();
        made.tokens = read_tokens(top.at("tokens"), folder);
        made.identity = read_identity(top.at("identity"), folder);
        made.keys = top.list("keys", detail::read_key);
        detail::check_keys(made.keys, wrong);
        section routes = top.at("routes");
        made.quotes = detail::read_quotes(routes.at("quotes"));
        made.orders = detail::read_orders(routes.at("orders"));
    }
    if (!wrong.empty()) throw bad_config(file, wrong);
    detail::hide_keys(whole, made);
    made.written = std::move(whole);
    return made;
}

/// The same from a file.
inline config read_config(std::string const& file, std::span<std::string const> changes = {})
{
    std::ifstream in(file, std::ios::binary);
    if (!in) throw bad_config(file, {std::string("cannot be read: ") + std::strerror(errno)});
    std::string const text(std::istreambuf_iterator<char>(in), {});
    return parse_config(text, file, changes);
}

} // namespace gateway
