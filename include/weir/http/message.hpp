// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/http/detail/same_name.hpp>
#include <weir/http/target.hpp>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

using boost::beast::http::field;  ///< the names of fields: `field::content_type`
using boost::beast::http::status; ///< status codes: `status::ok`
using boost::beast::http::verb;   ///< methods: `verb::get`

namespace detail {

/// The first field of that name. A policy that must not be fooled by a second one asks for the count. A walk over the fields, which
/// compares lengths first, is quicker than Beast's tree for as many as a request has.
template<class Message>
std::optional<std::string_view> find_field(Message const& message, std::string_view name)
{
    for (auto const& field : message)
        if (same_name(field.name_string(), name)) return std::string_view(field.value());
    return {};
}

/// Each field line of that name, in order.
template<class Message>
void each_field(Message const& message, std::string_view name, auto&& f)
{
    for (auto const& field : message)
        if (same_name(field.name_string(), name)) f(std::string_view(field.value()));
}

class exchange;
struct exchange_of;

} // namespace detail

/// A request as weir's server hands it out and its client sends it: Beast's message with a string for its body, and the address
/// of who sent it. What Beast offers for its messages works on it: `r.set(http::field::accept, "*/*")`, `r.body()`.
/// Policies reach it through `weir::header(r, name)` and the like.
class request : public boost::beast::http::request<boost::beast::http::string_body> {
public:
    request() = default;
    /// An HTTP/1.1 request, for the client: `http::request r("GET", "/quotes?symbol=X");`
    request(std::string_view method, std::string_view target, std::string body = {})
    {
        method_string(method);
        this->target(target);
        this->body() = std::move(body);
    }

    /// The address of the client, as text without port: `127.0.0.1`.
    [[nodiscard]] std::string_view peer() const noexcept { return peer_; }
    void peer(std::string address) noexcept { peer_ = std::move(address); }
    /// The verified subject of the client's certificate (RFC 4514), where the server asks for one: `CN=till-7,O=shop`. Else empty.
    [[nodiscard]] std::string_view peer_identity() const noexcept { return peer_identity_; }
    void peer_identity(std::string subject) noexcept { peer_identity_ = std::move(subject); }
    /// The parts of the target. Costs two searches in it, each time.
    [[nodiscard]] request_target parts() const { return split_target(target()); }
    /// The path, still encoded, also of a target in absolute form.
    [[nodiscard]] std::string_view path() const { return parts().path; }

    /// Back to an empty request from the same peer; keeps the body's memory if that is little.
    void reset()
    {
        constexpr std::size_t little = 16'384;
        clear();
        body().clear();
        if (body().capacity() > little) body().shrink_to_fit();
    }

    friend std::optional<std::string_view> weir_header(request const& r, std::string_view name) { return detail::find_field(r, name); }
    friend void weir_each_header(request const& r, std::string_view name, auto&& f) { detail::each_field(r, name, f); }
    friend void weir_set_header(request& r, std::string_view name, std::string_view value) { r.set(name, value); }
    friend std::string_view weir_method(request const& r) { return r.method_string(); }
    friend std::string_view weir_target(request const& r) { return r.target(); }
    friend std::string_view weir_body(request const& r) noexcept { return r.body(); }
    friend std::string_view weir_peer(request const& r) noexcept { return r.peer_; }

private:
    friend detail::exchange_of;
    std::string peer_;
    std::string peer_identity_;
    detail::exchange* exchange_ = nullptr; // the connection it came by, while it is answered
};

namespace detail {

/// The way from a request to its connection, for what streams.
struct exchange_of {
    [[nodiscard]] static exchange* get(request& r) noexcept { return r.exchange_; }
    static void set(request& r, exchange* e) noexcept { r.exchange_ = e; }
};

} // namespace detail

/// A response as a handler makes it: Beast's message with a string for its body. The server adds Content-Length, Date and
/// Connection.
class response : public boost::beast::http::response<boost::beast::http::string_body> {
public:
    response() = default;
    /// `return http::response(http::status::ok, text, "application/json");`
    explicit response(status code, std::string body = {}, std::string_view content_type = "text/plain; charset=utf-8")
    {
        result(code);
        if (!body.empty()) set(field::content_type, content_type);
        this->body() = std::move(body);
    }

    friend std::optional<std::string_view> weir_header(response const& r, std::string_view name) { return detail::find_field(r, name); }
    friend void weir_each_header(response const& r, std::string_view name, auto&& f) { detail::each_field(r, name, f); }
    friend unsigned weir_status(response const& r) noexcept { return r.result_int(); }
    friend void weir_set_header(response& r, std::string_view name, std::string_view value) { r.set(name, value); }
    friend std::string_view weir_body(response const& r) noexcept { return r.body(); }
    /// Its body and fields, for what is bounded in bytes.
    friend std::size_t weir_heap_bytes(response const& r)
    {
        constexpr std::size_t of_a_field = 64; // its place in the list and the table, and the allocator's own
        std::size_t bytes = r.body().capacity();
        for (auto const& field : r) bytes += of_a_field + field.name_string().size() + field.value().size();
        return bytes;
    }
};

/// The first parameter of that name in the request's query, decoded: `http::query(r, "symbol")`.
[[nodiscard]] inline std::optional<decoded> query(request const& r, std::string_view name)
{
    return query(r.parts().query, name);
}

static_assert(std::invocable<decltype(weir::method), request const&> && std::invocable<decltype(weir::peer), request const&>);
static_assert(std::invocable<decltype(weir::target), request const&> && std::invocable<decltype(weir::body), request const&>);
static_assert(std::invocable<decltype(weir::header), request const&, std::string_view>);
static_assert(std::invocable<decltype(weir::header), response const&, std::string_view>);

} // namespace weir::inline v0::http
