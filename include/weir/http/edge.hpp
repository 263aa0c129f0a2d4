// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/driver.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/correlation_id.hpp>
#include <weir/http/message.hpp>
#include <weir/http/problem.hpp>
#include <weir/http/rate_limit_fields.hpp>
#include <weir/http/streamed_request.hpp>
#include <weir/http/streamed_response.hpp>
#include <weir/limit/limit_facts.hpp>
#include <weir/resilience/degraded.hpp>
#include <weir/validate/accepted_types.hpp>
#include <weir/validate/challenge.hpp>
#include <weir/validate/translator.hpp>
#include <weir/validate/violation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0::http {

struct edge_options {
    std::string type_base = {};          ///< `type` of a problem is this and the error's name; `about:blank` if empty
    std::string challenge = "Signature"; ///< WWW-Authenticate of a 401 (RFC 9110 section 15.5.2)
    /// The sentences of problem documents in the language that the client asks for (Accept-Language); in English if there is none.
    std::shared_ptr<translator const> messages = {};
};

namespace detail {

/// What the policies of a call had to say, besides its outcome; null where they said nothing.
struct remarks {
    violation const* wrong = nullptr;
    violations const* faults = nullptr;
    accepted_types const* accepted = nullptr;
    limit_facts const* limits = nullptr;
    degraded const* less = nullptr;
    correlation_id const* correlation = nullptr;
    weir::challenge const* prove = nullptr;

    template<class Reply>
    explicit remarks(Reply const& reply)
    {
        take(reply, wrong);
        take(reply, faults);
        take(reply, accepted);
        take(reply, limits);
        take(reply, less);
        take(reply, correlation);
        take(reply, prove);
    }

private:
    template<class Reply, class Fact>
    static void take(Reply const& reply, Fact const*& into)
    {
        if constexpr (Reply::template may_report<Fact>)
            if (auto const& fact = reply.template reported<Fact>()) into = &*fact;
    }
};

/// The names by which a pipeline's policies are told apart: the label, or the policy's own.
template<class Policies, class Indices = std::make_index_sequence<Policies::size>>
struct policy_names;
template<class Policies, std::size_t... I>
struct policy_names<Policies, std::index_sequence<I...>> {
    static constexpr std::array<std::string_view, sizeof...(I) + 1> all{Policies::template name_at<I>()..., std::string_view{}};
    static constexpr std::string_view at(std::size_t place) noexcept { return all[std::min(place, sizeof...(I))]; }

    /// What a limit without a name is told as: its policy's label, if it was refused by that policy or only one policy is called so.
    static constexpr std::string_view of_limit(std::string_view told, std::size_t refusing) noexcept
    {
        if (refusing < sizeof...(I) && own[refusing] == told) return all[refusing];
        std::size_t found = sizeof...(I);
        for (std::size_t i = 0; i < sizeof...(I); ++i) {
            if (own[i] != told) continue;
            if (found != sizeof...(I)) return told;
            found = i;
        }
        return found == sizeof...(I) ? told : all[found];
    }

private:
    static constexpr std::array<std::string_view, sizeof...(I) + 1> own{Policies::template policy_at<I>::name..., std::string_view{}};
};

/// Adds what the policies said to a response or a problem. `named` is told the name of a limit and gives that which clients are told;
/// `retry_after` is that of a refusal: no limit then says to come back later than that (section 6 of the draft).
template<class Named>
void annotate(response& r, remarks const& said, Named const& named, duration retry_after = duration::zero())
{
    if (said.less != nullptr) r.set("X-Degraded", said.less->by);
    if (said.correlation != nullptr) r.set(correlation_id::field, said.correlation->key());
    if (said.limits == nullptr) return;
    rate_limit_fields fields;
    for (limit_fact const& each : said.limits->all()) {
        quota const& q = each.state;
        bool const too_late = retry_after.count() != 0 && q.until_more > retry_after;
        bool const full = q.until_more.count() == 0;
        fields.add({.name = named(each.name),
                    .quota = q.limit,
                    .window = q.window,
                    .remaining = q.remaining,
                    .reset = full || too_late ? duration::max() : q.until_more,
                    .partition = said.limits->key_of(each.name)});
    }
    fields.set_on(r);
}

/// The language in which a client is told what was wrong.
struct spoken {
    translator const* messages = nullptr;
    std::string_view language{};

    template<class Request>
    spoken(std::shared_ptr<translator const> const& from, Request const& r)
    {
        if constexpr (customisation::header_fn::works_for<Request>)
            if (from != nullptr) {
                messages = from.get();
                language = from->choose(header(r, "accept-language").value_or(std::string_view{}));
            }
    }
    [[nodiscard]] std::string operator()(std::string_view sentence) const
    {
        return messages == nullptr ? std::string(sentence) : messages->translate(language, sentence);
    }
};

/// Violations as the member `errors`, and the sentence of the first as `detail`; of those that were not listed it says that there are some.
class fault_list {
public:
    fault_list(remarks const& said, spoken const& in) : in_(in)
    {
        if (said.wrong != nullptr) add(*said.wrong);
        if (said.faults == nullptr) return;
        for (violation const& each : said.faults->list) add(each);
        more_ = said.faults->more;
    }
    [[nodiscard]] std::string sentence() const
    {
        if (count_ < 2) return first_;
        return first_ + " (and " + std::to_string(count_ - 1) + (more_ ? " more at least)" : " more)");
    }
    /// Puts them in front of the document's last brace.
    void into(std::string& document) const
    {
        if (count_ == 0) return;
        document.replace(document.size() - 1, 1, ",\"errors\":[" + json_ + (more_ ? "],\"more_errors\":true}" : "]}"));
    }

private:
    void add(violation const& wrong)
    {
        if (count_++ == 0) first_ = to_string(wrong);
        append_json(json_ += json_.empty() ? "{\"where\":" : ",{\"where\":", wrong.where);
        append_json(json_ += ",\"name\":", wrong.name);
        append_json(json_ += ",\"expected\":", in_(wrong.expected));
        json_ += '}';
    }

    spoken const& in_;
    std::string first_, json_;
    std::size_t count_ = 0;
    bool more_ = false;
};

/// The problem document of a refusal: with what was wrong, its sentence as `detail` and its parts as the member `errors`.
template<class Named>
response refused(error const& e, std::string_view policy, remarks const& said, Named const& named, edge_options const& o, spoken const& in)
{
    fault_list const faults(said, in);
    std::string const first = faults.sentence();
    std::string const sentence = in(first.empty() ? detail_of(e.kind()) : std::string_view(first));
    std::string const title = in(std::string_view(obsolete_reason(status_of(e.kind()))));
    response made = problem(e, {.detail = sentence,
                                .title = title,
                                .policy = policy,
                                .type_base = o.type_base,
                                .challenge = said.prove != nullptr ? said.prove->value : o.challenge});
    faults.into(made.body());
    if (in.messages != nullptr) {
        made.set(field::content_language, in.language);
        made.set(field::vary, "Accept-Language");
    }
    if (said.accepted != nullptr) made.set(said.accepted->field, said.accepted->list);
    annotate(made, said, named, e.retry_after());
    return made;
}

/// What an exception is answered by: of all that it says nothing but a weir code is told.
inline error error_of(std::exception_ptr const& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (boost::system::system_error const& e) {
        error const told(e.code());
        return told == errc::foreign ? error(errc::handler_threw) : told;
    } catch (...) {
        return errc::handler_threw;
    }
}

} // namespace detail

/// What `edge` makes; copies refer to the same pipeline.
template<class Pipeline, class Request = request>
class edge_handler {
    using names = detail::policy_names<typename weir::detail::access<Pipeline>::policies_type>;

public:
    edge_handler(Pipeline& svc, edge_options o) : svc_(&svc), options_(std::make_shared<edge_options const>(std::move(o))) {}

    auto operator()(Request& r) const { return respond_to(r); }
    /// As the handler of another pipeline, which does to every response what it does to a handler's: `seal_response` seals refusals, too.
    auto operator()(Request const& r) const { return respond_to(r); }

private:
    template<class R>
    auto respond_to(R& r) const
    {
        auto const respond = [this, &r](auto& reply) -> decltype(auto) { return this->give(reply, r); };
        if constexpr (awaitable<decltype(svc_->call(r, respond))>)
            return svc_->call(r, respond);
        else
            return at_once(svc_->call(r, respond));
    }
    template<class Made>
    static boost::asio::awaitable<Made> at_once(Made made)
    {
        co_return std::move(made);
    }
    template<class Reply>
    decltype(auto) give(Reply& reply, Request const& r) const
    {
        if constexpr (detail::streams_body<typename std::remove_cvref_t<decltype(reply.result())>::value_type>)
            return divide(reply, r);
        else
            return std::move(this->answer(reply, r));
    }
    /// Of a stream: its head, and what runs behind it.
    template<class Reply>
    detail::divided_response divide(Reply& reply, Request const& r) const
    {
        detail::remarks const said(reply);
        auto& outcome = reply.result();
        if (!outcome.has_value()) return detail::divided_response(refusal_of(reply, r, said));
        detail::divided_response made(std::move(*outcome));
        detail::annotate(made.head, said, limit_names(weir::error::no_policy));
        return made;
    }
    static auto limit_names(std::size_t refusing) noexcept
    {
        return [refusing](std::string_view told) { return names::of_limit(told, refusing); };
    }
    template<class Reply>
    response refusal_of(Reply& reply, Request const& r, detail::remarks const& said) const
    {
        // What was thrown on the way may have come to something else: a time that was up, another attempt's error.
        auto& outcome = reply.result();
        bool const threw = outcome.error() == errc::handler_threw && reply.thrown();
        error const e = threw ? detail::error_of(reply.thrown()) : outcome.error();
        return detail::refused(e, names::at(e.policy()), said, limit_names(e.policy()), *options_, detail::spoken(options_->messages, r));
    }

    /// The response, in the reply itself: moving one costs as much as a policy.
    template<class Reply>
    response& answer(Reply& reply, Request const& r) const
    {
        detail::remarks const said(reply);
        auto& outcome = reply.result();
        if (outcome.has_value()) [[likely]] {
            detail::annotate(*outcome, said, limit_names(weir::error::no_policy));
        } else {
            outcome = refusal_of(reply, r, said);
        }
        return *outcome;
    }

    Pipeline* svc_;
    std::shared_ptr<edge_options const> options_;
};

/// A pipeline over `http::request` whose value is an `http::response`, synchronous or asynchronous, as a handler of the server:
/// `http::server server(executor, http::edge(svc));`. The pipeline outlives the server.
///
/// What comes back:
/// - a refusal or failure: the problem document (RFC 9457) of its error, with the name or label of the policy that made it as `policy`,
///   and `Retry-After` where it is known; a `violation`, or several, as `detail` and `errors`; a 401 with the `challenge` that was reported,
///   else that of the options; a 415 with `Accept-Post` or its like, where `content_type` or `json_body` refused; in the language that the
///   client asks for, where the options have a `catalogue` for its `messages`: the title, the detail and what was expected;
/// - an exception of the handler: 500 without its text. One of `boost::system::system_error` with a weir code, as
///   `result::value()` throws it, is answered by that error. What a policy throws is thrown on;
/// - `RateLimit` and `RateLimit-Policy` where a limit refused the call, or tells always where it stands: an item a limit; `X-Degraded: fallback` on an answer that is less
///   than the handler's own; `x-correlation-id` where `correlate` stands in the pipeline.
///
/// The value may also be a `streamed_response`, by itself or carried with the permits of its call, which settle when the stream has ended.
/// A pipeline that takes the body in pieces says so: `http::edge<http::streamed_request>(svc)`.
///
/// The response is made in the call's own frame. Thread-safe if the pipeline is.
template<class Request = request, class Pipeline>
[[nodiscard]] edge_handler<Pipeline, Request> edge(Pipeline& svc, edge_options o = {})
{
    return edge_handler<Pipeline, Request>(svc, std::move(o));
}

} // namespace weir::inline v0::http
