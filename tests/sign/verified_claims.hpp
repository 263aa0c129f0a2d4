// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/principal.hpp>
#include <weir/core/request.hpp>
#include <weir/sign/claims.hpp>
#include <weir/sign/verified.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

namespace test {

/// Stands for `verify_jwt`: what the header `claims` holds was verified; without it nothing was.
struct knows {
    using role = weir::gate;
    using traits = weir::traits<weir::establishes_identity>;
    using provides = weir::facets<weir::principal, weir::verified<weir::claims>>;
    static constexpr std::string_view name = "knows";
    weir::admission<> admit(auto& call) const
    {
        auto const said = weir::header(call.request(), "claims");
        if (!said) return weir::admitted;
        auto made = std::make_shared<weir::claims>();
        REQUIRE(made->document().read(*said) == weir::strict_json_fault::none);
        call.set(weir::principal{std::string(made->subject())});
        call.set(weir::detail::verified_maker::make(std::shared_ptr<weir::claims const>(made)));
        return weir::admitted;
    }
};

} // namespace test
