// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/http/message.hpp>
#include <weir/http/problem.hpp>
#include <weir/http/request_handler.hpp>
#include <weir/http/target.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::http {

/// The last segment of a request's path, decoded: what stood for `{symbol}` in `/quotes/{symbol}`.
[[nodiscard]] inline decoded last_segment(request const& r)
{
    std::string_view const path = r.path();
    return decoded(path.substr(path.rfind('/') + 1));
}

namespace detail {

/// The path with its letters, digits and `-._~` decoded, as two paths are to be compared (RFC 3986 section 6.2.2.2). All else stays.
[[nodiscard]] inline std::string decode_unreserved(std::string_view path)
{
    std::string text;
    text.reserve(path.size());
    for (std::size_t i = 0; i < path.size(); ++i) {
        char c = path[i];
        if (c == '%' && i + 2 < path.size() && is(in::hex, path[i + 1]) && is(in::hex, path[i + 2])) {
            auto const byte = static_cast<unsigned char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
            bool const unreserved = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                                    byte == '-' || byte == '.' || byte == '_' || byte == '~';
            if (unreserved) {
                c = static_cast<char>(byte);
                i += 2;
            }
        }
        text += c;
    }
    return text;
}

/// Whether `.` or `..` is among the segments: what it means is up to who reads it next, so nobody may.
[[nodiscard]] inline bool has_dot_segment(std::string_view path) noexcept
{
    for (std::size_t at = path.find("/."); at != std::string_view::npos; at = path.find("/.", at + 1)) {
        std::string_view const segment = path.substr(at + 1, path.find('/', at + 1) - at - 1);
        if (segment == "." || segment == "..") return true;
    }
    return false;
}

} // namespace detail

/// Chooses the handler by method and path:
///
/// ```cpp
/// http::router routes;
/// routes.add("GET", "/quotes", http::edge(quotes))             // this path
///     .add("GET", "/quotes/{symbol}", http::edge(one_quote))   // any one segment at the end: http::last_segment(r)
///     .add("*", "/files/*", http::edge(files));                // all below; any method
/// http::server server(executor, std::move(routes), {.port = 8080});
/// ```
///
/// The exact path wins over the segment, that over the longest prefix. GET answers HEAD, too. A path that nobody has is answered 404, a
/// method that the path has not 405 with Allow, both as problem documents. Encoded letters, digits and `-._~` are compared decoded, and a
/// path with `.` or `..` for a segment is refused (400): no spelling of a path gets past the route that guards it.
///
/// A router is a handler, of a pipeline as well, whose policies then stand around all routes, and around what the router answers itself:
/// ```cpp
/// weir::pipeline all{weir::seal_response{scheme, std::ref(keys)}, std::move(routes)};   // seals each 404 and 405, too
/// http::server server(executor, http::edge(all), {.port = 8080});
/// ```
/// There bodies come and go whole; a route that takes `request&` has a copy of the request, `edge(svc)` and what takes `request const&` do
/// without.
///
/// Filled first, then read: copies have routes of their own. A request costs a binary search, no allocation and no coroutine frame.
class router {
public:
    /// `method` is `GET` or the like, or `*` for any; `pattern` is as above. Throws `std::invalid_argument` if the pattern is none, or is
    /// there.
    router& add(std::string_view method, std::string_view pattern, request_handler answer) &
    {
        expect(!method.empty(), "method", "a name such as GET, or *");
        expect(answer != nullptr, "handler", "one");
        place const at = parse(pattern);
        auto found = std::lower_bound(routes_.begin(), routes_.end(), at);
        if (found == routes_.end() || at < *found) found = routes_.insert(found, route{at.how, std::string(at.path), {}, {}});
        expect(found->find(method) == nullptr, pattern, "a pattern that is not there yet for that method");
        in_pieces_ = in_pieces_ || answer.may_read_in_pieces();
        found->methods.push_back({std::string(method), std::move(answer)});
        found->allow = found->allowed();
        return *this;
    }
    router&& add(std::string_view method, std::string_view pattern, request_handler answer) &&
    {
        return std::move(add(method, pattern, std::move(answer)));
    }

    /// The handler of the server.
    boost::asio::awaitable<response> operator()(request& r) const { return route_of(r); }
    /// The handler of a pipeline.
    boost::asio::awaitable<response> operator()(request const& r) const { return route_of(r); }
    /// Whether the route of that request takes its body in pieces.
    [[nodiscard]] bool reads_in_pieces(request const& r) const
    {
        if (!in_pieces_) return false;
        std::string own;
        route const* const found = find(spelled(r.path(), own));
        request_handler const* const answer = found == nullptr ? nullptr : found->choose(r.method_string());
        return answer != nullptr && answer->reads_in_pieces(r);
    }

private:
    template<class Request>
    boost::asio::awaitable<response> route_of(Request& r) const
    {
        std::string own;
        std::string_view const path = spelled(r.path(), own);
        if (detail::has_dot_segment(path)) [[unlikely]] {
            return detail::say(problem(errc::invalid_request, {.detail = "the path has a segment of dots"}));
        }
        route const* const found = find(path);
        if (found == nullptr) return detail::say(problem(errc::not_found, {.detail = "no route has this path"}));
        if (request_handler const* const answer = found->choose(r.method_string())) return (*answer)(r);
        return detail::say(problem(errc::method_not_allowed, {.allow = found->allow}));
    }

    /// How a path is met, the best first.
    enum class match : std::uint8_t { exact, segment, prefix };
    /// A pattern: of `/a/{b}` and `/a/*` the path is `/a/`.
    struct place {
        match how;
        std::string_view path;
    };
    struct choice {
        std::string method;
        request_handler answer;
    };
    struct route {
        match how;
        std::string path;
        std::vector<choice> methods;
        std::string allow;

        [[nodiscard]] request_handler const* find(std::string_view method) const noexcept
        {
            for (choice const& c : methods)
                if (c.method == method) return &c.answer;
            return nullptr;
        }
        [[nodiscard]] request_handler const* choose(std::string_view method) const noexcept
        {
            if (auto const* const own = find(method)) return own;
            auto const* const as_get = method == "HEAD" ? find("GET") : nullptr;
            return as_get != nullptr ? as_get : find("*");
        }
        [[nodiscard]] std::string allowed() const
        {
            std::string names;
            for (choice const& c : methods) (names += names.empty() ? "" : ", ") += c.method;
            if (find("GET") != nullptr && find("HEAD") == nullptr) names += ", HEAD";
            return names;
        }
        friend bool operator<(route const& a, place const& b) noexcept { return a.how != b.how ? a.how < b.how : a.path < b.path; }
        friend bool operator<(place const& a, route const& b) noexcept { return a.how != b.how ? a.how < b.how : a.path < b.path; }
    };

    /// The path as routes are compared with it; `own` holds it if it is spelled in another way.
    static std::string_view spelled(std::string_view path, std::string& own)
    {
        if (path.find('%') == std::string_view::npos) [[likely]]
            return path;
        return own = detail::decode_unreserved(path);
    }
    static place parse(std::string_view pattern)
    {
        constexpr std::string_view wanted =
            "a path that begins with /, encoded as little as can be, with {name} or * as its last segment only";
        place at{match::exact, pattern};
        auto const slash = pattern.rfind('/');
        if (slash != std::string_view::npos) {
            std::string_view const last = pattern.substr(slash + 1);
            if (last == "*") at = {match::prefix, pattern.substr(0, slash + 1)};
            if (last.size() > 2 && last.starts_with('{') && last.ends_with('}')) at = {match::segment, pattern.substr(0, slash + 1)};
        }
        auto const parts = parse_target("GET", at.path);
        bool const good = parts && parts->path == at.path && at.path.starts_with('/') && at.path.find('*') == std::string_view::npos &&
                          !detail::has_dot_segment(at.path) && detail::decode_unreserved(at.path) == at.path;
        expect(good, pattern, wanted);
        return at;
    }
    [[nodiscard]] route const* look(place const& at) const noexcept
    {
        auto const found = std::lower_bound(routes_.begin(), routes_.end(), at);
        return found == routes_.end() || at < *found ? nullptr : &*found;
    }
    [[nodiscard]] route const* find(std::string_view path) const noexcept
    {
        if (route const* const exact = look({match::exact, path})) return exact;
        auto slash = path.rfind('/');
        if (slash == std::string_view::npos) return nullptr;
        if (slash + 1 < path.size())
            if (route const* const one = look({match::segment, path.substr(0, slash + 1)})) return one;
        for (; slash != std::string_view::npos; slash = slash == 0 ? std::string_view::npos : path.rfind('/', slash - 1))
            if (route const* const below = look({match::prefix, path.substr(0, slash + 1)})) return below;
        return nullptr;
    }

    std::vector<route> routes_; // in the order of how, then of path
    bool in_pieces_ = false;    // one of them may take a body so
};

} // namespace weir::inline v0::http
