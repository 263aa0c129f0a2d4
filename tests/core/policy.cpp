// SPDX-License-Identifier: BSL-1.0
#include <weir/core/policy.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>

namespace {

struct without_role {
    static constexpr std::string_view name = "door";
};
struct door : without_role {
    using role = weir::gate;
    using traits = weir::traits<weir::waits, weir::reads_body>;
};
struct counted_door : door {
    int passed = 0;
};
struct without_name {
    using role = weir::gate;
};

TEST_CASE("policy: whatever states a role and has a name")
{
    CHECK(weir::policy<door>);
    CHECK_FALSE(weir::policy<without_name>);
    CHECK_FALSE(weir::policy<without_role>);
    CHECK_FALSE(weir::policy<int>);
}

TEST_CASE("policy: a reference, a shared pointer and a name are the same policy")
{
    using referred = std::reference_wrapper<door>;
    using owned_by_many = std::shared_ptr<door>;
    using labelled = weir::named_element<"front", door>;
    CHECK(weir::policy<referred>);
    CHECK(weir::policy<owned_by_many>);
    CHECK(weir::policy<labelled>);
    CHECK(std::is_same_v<weir::detail::policy_t<referred>, door>);
    CHECK(std::is_same_v<weir::detail::policy_t<owned_by_many>, door>);
    CHECK(std::is_same_v<weir::detail::policy_t<labelled>, door>);
    CHECK_FALSE(weir::policy<std::reference_wrapper<int>>);
}

TEST_CASE("policy: what was wrapped is reached, not copied")
{
    counted_door mine;
    auto by_reference = weir::named<"front">(std::ref(mine));
    CHECK(&weir::detail::unwrapped<decltype(by_reference)>::of(by_reference) == &mine);

    auto const many = std::make_shared<counted_door>();
    auto by_pointer = weir::named<"back">(many);
    CHECK(&weir::detail::unwrapped<decltype(by_pointer)>::of(by_pointer) == many.get());
}

TEST_CASE("named: gives a label, takes no room")
{
    auto const front = weir::named<"front door">(door{});
    CHECK(front.label == "front door");
    CHECK(std::is_empty_v<weir::named_element<"front", door>>);
    CHECK(weir::detail::unwrapped<door>::label.empty());
    CHECK(weir::detail::unwrapped<weir::named_element<"front", door>>::label == "front");
}

TEST_CASE("named: keeps the state of what it names")
{
    counted_door mine;
    mine.passed = 3;
    CHECK(weir::named<"front">(mine).element.passed == 3);
}

TEST_CASE("traits: a policy has those that it states")
{
    CHECK(weir::detail::has_trait<door, weir::waits>);
    CHECK(weir::detail::has_trait<door, weir::reads_body>);
    CHECK_FALSE(weir::detail::has_trait<door, weir::rewrites_body>);
    CHECK_FALSE(weir::detail::has_trait<without_name, weir::waits>);
}

} // namespace
