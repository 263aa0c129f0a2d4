// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/collected.hpp>
#include <weir/http/message.hpp>
#include <weir/http/problem.hpp>
#include <weir/http/streamed_request.hpp>
#include <weir/http/streamed_response.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace weir::inline v0::http {

namespace detail {

template<class A>
constexpr bool is_answer = false;
template<class T>
constexpr bool is_answer<boost::asio::awaitable<T>> = std::same_as<T, response> || std::same_as<T, divided_response> || streams_body<T>;

/// Answers a request that is there as a whole, or one whose body comes in pieces.
template<class F, class Request>
concept answers = requires(F& f, Request& r)
{
    requires is_answer<decltype(f(r))>;
};
template<class F>
concept answers_at_once = std::same_as<std::invoke_result_t<F&, request&>, boost::asio::awaitable<response>>;
template<class F>
concept only_reads = requires(F const& f, request const& r)
{
    {
        f(r)
        } -> std::same_as<boost::asio::awaitable<response>>;
};
template<class F>
concept tells_pieces = requires(F const& f, request const& r)
{
    {
        f.reads_in_pieces(r)
        } -> std::same_as<bool>;
};

/// An answer that is there already.
template<std::same_as<response> Response>
boost::asio::awaitable<Response> say(Response r)
{
    co_return r;
}

/// Makes a handler of whole requests and responses of one that streams.
template<class F>
struct streaming {
    boost::asio::awaitable<response> operator()(request& r) { return run(f, r); }
    F f;

private:
    static boost::asio::awaitable<response> run(F& f, request& r)
    {
        collected alone(r);
        exchange* const of_server = exchange_of::get(r);
        exchange& to = of_server != nullptr ? *of_server : alone;
        if constexpr (answers<F, request>) {
            auto made = co_await f(r);
            response head = take(made, to);
            if (of_server == nullptr && !co_await alone.collect(head)) head = problem(errc::upstream_failed);
            co_return head;
        } else {
            streamed_request in_pieces(r, to);
            auto made = co_await f(in_pieces);
            response head = take(made, to);
            if (of_server == nullptr && !co_await alone.collect(head)) head = problem(errc::upstream_failed);
            co_return head;
        }
    }
    /// The head; what writes the body goes to the exchange.
    static response take(response& made, exchange&) { return std::move(made); }
    static response take(divided_response& made, exchange& to)
    {
        if (made.source != nullptr) to.stream(std::move(made.source), made.length);
        return std::move(made.head);
    }
    template<streams_body T>
    static response take(T& made, exchange& to)
    {
        divided_response divided(std::move(made));
        return take(divided, to);
    }
};

} // namespace detail

/// What answers the requests of a server: `edge(svc)`, a `router`, an `actuator`, or a function that returns `asio::awaitable<response>` or
/// `asio::awaitable<streamed_response>` and takes `request&`, or `streamed_request&` to read the body in pieces. The request lives until
/// the awaitable has ended, and the stream behind it. Without a server, as in a test, what streams is collected. Copied with the function.
///
/// Of a request that is not its own, as a pipeline hands it to its handler, a function that takes `request const&` reads that very one;
/// every other function has a copy of it, and its stream is collected: what a policy around it sees, or seals, is the whole response.
class request_handler {
public:
    request_handler() = default;
    request_handler(std::nullptr_t) noexcept {} // NOLINT: implicit, as functions are
    template<class F>
    requires(!std::same_as<F, request_handler> && (detail::answers<F, request> || detail::answers<F, streamed_request>))
        request_handler(F f) // NOLINT: implicit
    {
        if constexpr (!detail::answers<F, request>) {
            pieces_ = [](request_handler const&, request const&) { return true; };
            answer_ = detail::streaming<F>{std::move(f)};
        } else if constexpr (!detail::answers_at_once<F>) {
            answer_ = detail::streaming<F>{std::move(f)};
        } else {
            if constexpr (detail::tells_pieces<F>) {
                pieces_ = [](request_handler const& self, request const& r) {
                    return self.answer_.template target<F>()->reads_in_pieces(r);
                };
            }
            if constexpr (detail::only_reads<F>) {
                reading_ = [](request_handler const& self, request const& r) {
                    return std::as_const(*self.answer_.template target<F>())(r);
                };
            }
            answer_ = std::move(f);
        }
    }

    boost::asio::awaitable<response> operator()(request& r) const { return answer_(r); }
    boost::asio::awaitable<response> operator()(request const& r) const
    {
        return reading_ != nullptr ? reading_(*this, r) : answer_copy(answer_, r);
    }
    /// Whether it takes the body of that request in pieces: then it is called when the head is there.
    [[nodiscard]] bool reads_in_pieces(request const& r) const { return pieces_ != nullptr && pieces_(*this, r); }
    [[nodiscard]] bool may_read_in_pieces() const noexcept { return pieces_ != nullptr; }

    friend bool operator==(request_handler const& h, std::nullptr_t) noexcept { return h.answer_ == nullptr; }

private:
    using function = std::function<boost::asio::awaitable<response>(request&)>;

    /// A template, as g++ compiles the coroutines of what is none in each file that includes it.
    template<class Request>
    static boost::asio::awaitable<response> answer_copy(function const& answer, Request const& r)
    {
        Request own = r;
        detail::exchange_of::set(own, nullptr);
        co_return co_await answer(own);
    }

    function answer_;
    boost::asio::awaitable<response> (*reading_)(request_handler const&, request const&) = nullptr;
    bool (*pieces_)(request_handler const&, request const&) = nullptr;
};

} // namespace weir::inline v0::http
