// SPDX-License-Identifier: BSL-1.0
#include <weir/core/principal.hpp>

#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

struct order {
    std::string by;
};

/// Believes what it is told, which no real one does.
struct believe {
    using role = weir::gate;
    using provides = weir::facets<weir::principal>;
    static constexpr std::string_view name = "believe";
    weir::admission<> admit(auto& call) const
    {
        call.set(weir::principal{call.request().by});
        return weir::admitted;
    }
};
struct keep_keys {
    using role = weir::gate;
    using needs = weir::facets<weir::principal>;
    static constexpr std::string_view name = "keep_keys";
    std::vector<std::string> keys{};
    weir::admission<> admit(auto& call)
    {
        keys.emplace_back(weir::by<weir::principal>(call));
        return weir::admitted;
    }
};

} // namespace

TEST_CASE("principal: its name is its key, whole, whatever is in it")
{
    CHECK(weir::principal{}.key().empty());
    std::string const odd("a\0b", 3);
    CHECK(weir::principal{odd}.key() == odd);
    CHECK(weir::principal{std::string(1'000, 'x')}.key().size() == 1'000);
}

TEST_CASE("principal: what one policy provides, a policy further in keys by and the handler reads")
{
    keep_keys seen;
    weir::pipeline svc{believe{}, std::ref(seen),
                       [](order const&, weir::view<weir::principal> v) { return v.get<weir::principal>().name; }};
    order const first{"shop"}, second{"bank"};
    CHECK(svc(first).value() == "shop");
    CHECK(svc(second).value() == "bank");
    CHECK(seen.keys == std::vector<std::string>{"shop", "bank"});
}
