// SPDX-License-Identifier: BSL-1.0
#include <weir/core/principal.hpp>

#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
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

TEST_CASE("principal: a long name is made in the room of one that ended, whatever was in it")
{
    std::string const id(100, 'a'), other(60, 'b');
    char const* room = nullptr;
    {
        auto const first = weir::principal::of(id);
        CHECK(first.key() == id);
        room = first.name.data();
        weir::principal copy = first;
        CHECK(copy.name.data() != room);
        weir::principal const moved = std::move(copy);
        CHECK(moved.key() == id);
    }
    bool same = false; // of the two that were kept
    {
        auto const second = weir::principal::of(other), third = weir::principal::of("carol");
        CHECK(second.key() == other);
        CHECK(third.key() == "carol");
        auto const fourth = weir::principal::of(id + other);
        CHECK(fourth.key() == id + other);
        same = second.name.data() == room || fourth.name.data() == room;
    }
    CHECK(same);
    for (std::size_t size : {0u, 15u, 16u, 255u, 256u, 10'000u})
        for (int i = 0; i < 3; ++i) {
            std::vector<weir::principal> many;
            for (int k = 0; k < 10; ++k) many.push_back(weir::principal::of(std::string(size, 'x')));
            for (auto const& each : many) CHECK(each.key() == std::string(size, 'x'));
        }
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
