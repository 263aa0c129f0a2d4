// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// Gives a call a name by which the service behind knows a repeat of it: sets the field `Idempotency-Key`, quoted, to a random UUID (RFC
/// 9562 version 4), unless the request has one (draft-ietf-httpapi-idempotency-key-header-07).
///
/// It stands outside of retries and hedges, so that all attempts carry the same key, and makes them lawful around a handler that is not
/// marked `idempotent`: the service behind answers a repeat as it did the first time. Only if it does. Thread-safe; costs a field, a copy
/// of the request and two words of the kernel's randomness.
template<fixed_string Field = "Idempotency-Key">
class send_idempotency_key {
public:
    using role = transform;
    using traits = weir::traits<rewrites_request, names_repeats>;
    using reads = reads_request<customisation::header_fn, customisation::set_header_fn>;
    static constexpr std::string_view name = "send_idempotency_key";

    admission<> down(auto& call) const
    {
        if (!header(call.request(), Field.view())) set_header(call.request(), Field.view(), fresh().data());
        return admitted;
    }
    void describe(auto&& field) const { field("field", Field.view()); }

private:
    /// `"xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"` and an end.
    static std::array<char, 39> fresh() noexcept
    {
        std::uint64_t words[2]{detail::random_seed(), detail::random_seed()};
        words[0] = (words[0] & ~std::uint64_t{0xf000}) | 0x4000;
        words[1] = (words[1] & ~(std::uint64_t{3} << 62)) | std::uint64_t{2} << 62;
        std::array<char, 39> text{};
        std::size_t at = 0;
        text[at++] = '"';
        for (unsigned digit = 0; digit < 32; ++digit) {
            if (digit == 8 || digit == 12 || digit == 16 || digit == 20) text[at++] = '-';
            text[at++] = "0123456789abcdef"[(words[digit / 16] >> (60 - digit % 16 * 4)) & 15];
        }
        text[at] = '"';
        return text;
    }
};

} // namespace weir::inline v0
