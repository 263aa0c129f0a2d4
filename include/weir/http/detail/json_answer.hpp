// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/core/threading.hpp>
#include <weir/http/message.hpp>
#include <weir/validate/write_json.hpp>

#include <boost/system/errc.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace weir::inline v0::http::detail {

/// The way up of the codecs that answer in JSON.
class json_answer {
public:
    template<class InnerValue>
    using outer_value = response;

    template<class InnerValue>
    [[nodiscard]] result<response> encode(auto& call, InnerValue&& value)
    {
        using value_type = std::remove_cvref_t<InnerValue>;
        if constexpr (std::is_same_v<value_type, response>)
            return std::forward<InnerValue>(value);
        else if constexpr (weir::detail::json_optional<value_type>) {
            if (!value) return errc::not_found;
            return encode(call, *std::forward<InnerValue>(value));
        } else {
            result<response> made{response(status::ok)};
            if (!write_json(value, made->body())) [[unlikely]] {
                unwritten_.add(1);
                return error(boost::system::errc::make_error_code(boost::system::errc::bad_message));
            }
            made->set(field::content_type, "application/json");
            return made;
        }
    }

protected:
    [[nodiscard]] std::uint64_t unwritten() const noexcept { return unwritten_.load(); }

private:
    shared::cell<std::uint64_t> unwritten_;
};

} // namespace weir::inline v0::http::detail
