// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/signature_check.hpp>

#include <doctest/doctest.h>

#include <string_view>
#include <type_traits>

namespace {

using weir::signature_fault;

TEST_CASE("signature_check: good unless a fault was found")
{
    constexpr weir::signature_check good{};
    static_assert(static_cast<bool>(good));
    CHECK(good.where.empty());
    for (auto const fault : {signature_fault::missing, signature_fault::malformed, signature_fault::late, signature_fault::early,
                             signature_fault::unknown_app, signature_fault::wrong_signature, signature_fault::wrong_digest})
        CHECK_FALSE(static_cast<bool>(weir::signature_check{.fault = fault}));
}

TEST_CASE("signature_fault: each has a name of its own")
{
    static_assert(to_string(signature_fault::none) == "none");
    CHECK(to_string(signature_fault::missing) == "missing");
    CHECK(to_string(signature_fault::malformed) == "malformed");
    CHECK(to_string(signature_fault::late) == "late");
    CHECK(to_string(signature_fault::early) == "early");
    CHECK(to_string(signature_fault::unknown_app) == "unknown_app");
    CHECK(to_string(signature_fault::wrong_signature) == "wrong_signature");
    CHECK(to_string(signature_fault::wrong_digest) == "wrong_digest");
}

TEST_CASE("signature_check: is not taken for a number")
{
    CHECK_FALSE(std::is_convertible_v<weir::signature_check, bool>);
}

} // namespace
