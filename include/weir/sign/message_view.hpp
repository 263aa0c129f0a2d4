// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::inline v0 {

/// What signatures need of a message, some of it beyond what `weir/core/request.hpp` lists: free functions beside the type, found by
/// argument-dependent look-up.
///
/// | write, beside your type                                        | it means                                                                    |
/// |----------------------------------------------------------------|-----------------------------------------------------------------------------|
/// | `void weir_each_header(M const&, string_view name, auto&& f)`  | `f(value)` for each field line of that name in order, case of names ignored |
/// | `void weir_each_trailer(M const&, string_view name, auto&& f)` | the same for the trailers; a type without it has none                       |
/// | `unsigned weir_status(M const&)`                               | a response's status code: what has it is a response, what has none a request |
///
/// A type without `weir_each_header` is asked by `weir_header` for its one value: it then has to join repeated fields by itself.
namespace customisation {

template<class M>
concept has_each_trailer = requires(M const& m)
{
    weir_each_trailer(m, std::string_view{}, ignore_value{});
};
template<class M>
concept has_status = requires(M const& m)
{
    {
        weir_status(m)
        } -> std::convertible_to<unsigned>;
};

} // namespace customisation

/// A response whose signature can be verified: it has a status code, headers and a body.
template<class M>
concept verifiable_response = customisation::has_status<M> && customisation::body_fn::works_for<M> &&
    (customisation::has_each_header<M> || customisation::header_fn::works_for<M>);
/// A message whose signature can be verified: such a response, or a request with method, target, headers and body.
template<class M>
concept verifiable_message = verifiable_response<M> ||
    (customisation::method_fn::works_for<M>&& customisation::target_fn::works_for<M>&& customisation::body_fn::works_for<M> &&
     (customisation::has_each_header<M> || customisation::header_fn::works_for<M>));
/// A message that can be signed: its headers can be set, too.
template<class M>
concept signable_message = verifiable_message<M> && customisation::header_fn::works_for<M> && customisation::set_header_fn::works_for<M>;

/// The values of the lines of a field, as they came. Two of them take no allocation. Movable; a `std::vector` inside would be the dearest part of this header
/// for a compiler.
class field_lines {
public:
    field_lines() noexcept = default;
    field_lines(field_lines&& other) noexcept : size_(other.size_), room_(other.room_), more_(other.more_)
    {
        for (std::size_t i = 0; i < few; ++i) few_[i] = other.few_[i];
        other.size_ = 0;
        other.room_ = few;
        other.more_ = nullptr;
    }
    field_lines& operator=(field_lines&&) = delete;
    ~field_lines() { delete[] more_; }

    void push_back(std::string_view value)
    {
        if (size_ == room_) grow();
        (more_ != nullptr ? more_ : few_)[size_++] = value;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::string_view const* begin() const noexcept { return more_ != nullptr ? more_ : few_; }
    [[nodiscard]] std::string_view const* end() const noexcept { return begin() + size_; }
    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept { return begin()[i]; }
    [[nodiscard]] std::string_view front() const noexcept { return *begin(); }

private:
    static constexpr std::size_t few = 2;

    void grow()
    {
        auto* const wider = new std::string_view[2 * room_];
        for (std::size_t i = 0; i < size_; ++i) wider[i] = begin()[i];
        delete[] more_;
        more_ = wider;
        room_ *= 2;
    }

    std::string_view few_[few]{};
    std::size_t size_ = 0, room_ = few;
    std::string_view* more_ = nullptr;
};

/// A message of any type seen as one type: what signatures read of it. It refers to the message, which outlives it.
class message_view {
public:
    template<verifiable_message M>
    requires(!std::same_as<M, message_view>) explicit message_view(M const& m) : message_(&m), collect_(collect<M>), body_(weir::body(m))
    {
        if constexpr (customisation::has_status<M>) {
            is_response_ = true;
            status_ = static_cast<unsigned>(weir_status(m));
        } else {
            method_ = weir::method(m);
            target_ = weir::target(m);
        }
    }

    [[nodiscard]] bool is_response() const noexcept { return is_response_; }
    /// The status code of a response.
    [[nodiscard]] unsigned status() const noexcept { return status_; }
    /// Method and target of a request.
    [[nodiscard]] std::string_view method() const noexcept { return method_; }
    [[nodiscard]] std::string_view target() const noexcept { return target_; }
    [[nodiscard]] std::string_view body() const noexcept { return body_; }
    /// The values of all field lines of a name, as they came.
    [[nodiscard]] field_lines fields(std::string_view name, bool trailers = false) const
    {
        field_lines values;
        collect_(message_, name, trailers, values);
        return values;
    }

private:
    using collector = void (*)(void const*, std::string_view, bool, field_lines&);

    template<class M>
    static void collect(void const* message, std::string_view name, bool trailers, field_lines& into)
    {
        M const& m = *static_cast<M const*>(message);
        auto const add = [&](std::string_view value) { into.push_back(value); };
        if (trailers) {
            if constexpr (customisation::has_each_trailer<M>) weir_each_trailer(m, name, add);
        } else if constexpr (customisation::has_each_header<M>) {
            weir_each_header(m, name, add);
        } else if (std::optional<std::string_view> const value = weir::header(m, name)) {
            add(*value);
        }
    }

    void const* message_;
    collector collect_;
    bool is_response_ = false;
    unsigned status_ = 0;
    std::string_view method_{}, target_{}, body_{};
};

} // namespace weir::inline v0
