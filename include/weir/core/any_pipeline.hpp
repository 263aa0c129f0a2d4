// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/handler.hpp>
#include <weir/core/result.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Pipeline>
struct pipeline {
    template<class Actual>
    struct answers {
        template<class Answer>
        struct where_any_pipeline_wants;
    };
};
} // namespace advice

namespace detail {

/// What a call of `any_pipeline<Request, Response>` gives: `result<Response>`, or an awaitable as it is.
template<class Response>
struct erased_answer : outcome_of_value<Response> {
};
template<awaitable Response>
struct erased_answer<Response> {
    using type = Response;
};

/// What is seldom asked of a pipeline behind a border.
struct erased_look {
    using visitor = void (*)(void* to, std::string_view name, std::string_view label, std::string_view field, setting_value const& value);
    description (*describe)(void* pipeline);
    void (*stats)(void* pipeline, time_point now, void* to, visitor visit);
};
template<class Pipeline>
inline constexpr erased_look look_at{[](void* pipeline) { return weir::describe(*static_cast<Pipeline*>(pipeline)); },
                                     [](void* pipeline, time_point now, void* to, erased_look::visitor visit) {
                                         weir::stats_of(*static_cast<Pipeline*>(pipeline), now,
                                                        [&](std::string_view name, std::string_view label, std::string_view field,
                                                            auto const& value) { visit(to, name, label, field, setting_of(value)); });
                                     }};

} // namespace detail

/// A reference to some pipeline that takes a `Request` and answers `Response`: for the border of a module, whose header then does not
/// show what its pipeline is made of. `any_pipeline_ref<quote_request, quote>` calls synchronous pipelines, and gives `result<quote>`;
/// `any_pipeline_ref<quote_request, boost::asio::awaitable<weir::result<quote>>>` asynchronous ones (include `weir/asio.hpp` before). The
/// pipeline's own answer has to be just that.
///
/// It is copied like a pointer, and the pipeline outlives it and its calls. A call behaves as that of the pipeline does, may be made by
/// the same threads, and costs one indirect call more: it allocates nothing and adds no frame. The request is borrowed: an asynchronous
/// call takes no temporary, and the caller keeps the request until the call has ended. It is a handler, too: another pipeline may stand
/// around it. What policies report, `svc.call(request)`, stays inside.
template<class Request, class Response>
class any_pipeline_ref {
public:
    using answer_type = typename detail::erased_answer<Response>::type;

    template<class Pipeline>
    requires(!std::is_const_v<Pipeline> && !std::same_as<Pipeline, any_pipeline_ref> && std::invocable<Pipeline&, Request const&>)
        any_pipeline_ref(Pipeline& pipeline)
    noexcept // NOLINT: implicit, as for any reference
        : any_pipeline_ref(std::addressof(pipeline), std::in_place_type<Pipeline>)
    {
    }

    answer_type operator()(Request const& request) const { return call_(pipeline_, request); }
    answer_type operator()(Request const&&) const requires awaitable<Response>
    = delete; // it would be gone before the call begins: name it

    [[nodiscard]] description describe() const { return look_->describe(pipeline_); }
    /// As `weir::stats_of` does, with integers and doubles only; a span of time comes in seconds. Allocates nothing.
    template<class Visitor>
    void stats_of(time_point now, Visitor&& visit) const
    {
        using plain = std::remove_reference_t<Visitor>;
        look_->stats(pipeline_, now, const_cast<void*>(static_cast<void const*>(std::addressof(visit))),
                     [](void* to, std::string_view name, std::string_view label, std::string_view field, setting_value const& value) {
                         value.visit([&]<class T>(T const& number) {
                             if constexpr (std::is_same_v<T, duration>)
                                 (*static_cast<plain*>(to))(name, label, field, std::chrono::duration<double>(number).count());
                             else if constexpr (!std::is_same_v<T, std::string>)
                                 (*static_cast<plain*>(to))(name, label, field, number);
                         });
                     });
    }

private:
    template<class, class>
    friend class any_pipeline;

    template<class Pipeline>
    any_pipeline_ref(Pipeline* pipeline, std::in_place_type_t<Pipeline>) noexcept
        : pipeline_(pipeline),
          call_([](void* p, Request const& request) -> answer_type {
              using actual = decltype((*static_cast<Pipeline*>(p))(request));
              if constexpr (!std::is_same_v<actual, answer_type>)
                  static_cast<void>(sizeof(
                      typename advice::pipeline<Pipeline>::template answers<actual>::template where_any_pipeline_wants<answer_type>));
              else
                  return (*static_cast<Pipeline*>(p))(request);
          }),
          look_(&detail::look_at<Pipeline>)
    {
    }

    void* pipeline_;
    answer_type (*call_)(void*, Request const&);
    detail::erased_look const* look_;
};

/// The same, owning its pipeline: what the factory of a module returns.
/// ```cpp
/// weir::any_pipeline<quote_request, quote> make_quotes(settings const& s); // the header
/// return weir::any_pipeline<quote_request, quote>{[&] { return weir::pipeline{weir::rate_limit{...}, fetch_quote}; }};
/// ```
/// Moved like a `unique_ptr`: the pipeline stays where it is, one allocation when it is made. One that was moved from is not called. It
/// is not moved or destroyed while a call is under way.
template<class Request, class Response>
class any_pipeline {
public:
    using ref_type = any_pipeline_ref<Request, Response>;
    using answer_type = typename ref_type::answer_type;

    /// Owns the pipeline that `make()` returns, which is built in place.
    template<class Make>
    requires(std::invocable<Make&> && !std::same_as<std::remove_cvref_t<Make>, any_pipeline>) explicit any_pipeline(Make&& make)
        : any_pipeline(std::unique_ptr<std::invoke_result_t<Make&>>(new std::invoke_result_t<Make&>(make())))
    {
    }
    template<class Pipeline>
    explicit any_pipeline(std::unique_ptr<Pipeline> pipeline) noexcept
        : ref_(pipeline.get(), std::in_place_type<Pipeline>), owned_(pipeline.release(), [](void* p) { delete static_cast<Pipeline*>(p); })
    {
    }

    answer_type operator()(Request const& request) { return ref_(request); }
    answer_type operator()(Request const&&) requires awaitable<Response>
    = delete; // as above

    /// For who only calls it; valid while this one's pipeline lives, also when this one was moved.
    [[nodiscard]] ref_type ref() const noexcept { return ref_; }

    [[nodiscard]] description describe() const { return ref_.describe(); }
    template<class Visitor>
    void stats_of(time_point now, Visitor&& visit) const
    {
        ref_.stats_of(now, std::forward<Visitor>(visit));
    }

private:
    ref_type ref_;
    std::unique_ptr<void, void (*)(void*)> owned_;
};

} // namespace weir::inline v0
