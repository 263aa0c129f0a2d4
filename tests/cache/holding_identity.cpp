// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/holding_identity.hpp>

#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

struct question {
    std::string token;
    std::string what;
};
/// Lets those pass whose token it knows, and counts how often it was asked.
struct verify {
    using role = weir::gate;
    using traits = weir::traits<weir::establishes_identity>;
    static constexpr std::string_view name = "verify";
    int* asked;
    weir::admission<> admit(auto& call) const
    {
        ++*asked;
        if (call.request().token != "right") return weir::errc::unauthenticated;
        return weir::admitted;
    }
};

} // namespace

TEST_CASE("holding_identity: a cache whose key holds the token may stand outward of who verifies it; refusals are not kept")
{
    int asked = 0;
    auto const token_and_question = weir::keyed_by<std::string>([](question const& q) { return q.token + '\n' + q.what; });
    weir::pipeline svc{weir::cached{weir::store<std::string, int>{{.capacity = 10}}, weir::holding_identity{token_and_question}},
                       verify{&asked}, [](question const& q) { return static_cast<int>(q.what.size()); }};
    for (int i = 0; i < 3; ++i) CHECK(svc(question{"right", "who"}).value() == 3);
    CHECK(asked == 1);
    for (int i = 0; i < 3; ++i) CHECK(svc(question{"wrong", "who"}).error() == weir::errc::unauthenticated);
    CHECK(asked == 4);
}
