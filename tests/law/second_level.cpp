// SPDX-License-Identifier: BSL-1.0
// The laws of the concept `second_level_of`, for each of its models: what a `second_level` relies on, whatever level it is.
#include <weir/cache/level.hpp>
#include <weir/testing/memory_level.hpp>
#include <weir/testing/simulation.hpp>
#include <weir/testing/slow_level.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using memory = weir::memory_level<std::string, int>;
using entry = weir::level_entry<int>;
constexpr weir::duration lease_time = 10s;

/// A model as the laws use it: each operation is carried out to its end. The time goes on by itself only while one is awaited.
struct at_once {
    weir::schedule time;
    memory level{{.capacity = 100, .lease_time = lease_time}};
    weir::invalidation<std::string> heard{};
    std::uint64_t messages = 0;

    template<class Operation>
    auto told(Operation&& operation)
    {
        return operation(level);
    }
};
struct in_time {
    weir::schedule time;
    memory level{{.capacity = 100, .lease_time = lease_time}};
    weir::slow_level<std::reference_wrapper<memory>> slow{std::ref(level), time, weir::latency::fixed(2us)};
    weir::simulation world{time, weir::ready_order::first_come_first_served};

    template<class Operation>
    auto told(Operation&& operation)
    {
        using given = typename weir::awaitable_traits<decltype(operation(slow))>::value_type;
        std::optional<given> got;
        auto const wait = [&]() -> boost::asio::awaitable<void> {
            auto asking = operation(slow);
            got.emplace(co_await std::move(asking));
        };
        world.spawn(wait());
        world.run();
        REQUIRE(got);
        return *got;
    }
};
using every = std::tuple<at_once, in_time>;

template<class Model>
struct asked {
    Model of;

    [[nodiscard]] weir::time_point now() const { return of.time.now(); }
    void later(weir::duration d) { of.time.clock().advance(d); }
    weir::level_finding<int> look_up(std::string const& key)
    {
        return of.told([&](auto& level) { return level.look_up(key, now()); }).value();
    }
    bool put(std::string const& key, entry e, weir::level_lease lease)
    {
        return of.told([&](auto& level) { return level.put(key, e, lease, now()); }).value() == 1;
    }
    weir::level_lease lease(std::string const& key)
    {
        return of.told([&](auto& level) { return level.lease(key, now()); }).value();
    }
    bool erase(std::string const& key)
    {
        return of.told([&](auto& level) { return level.erase(key, now()); }).value() == 1;
    }
    std::uint64_t publish(std::string const& key)
    {
        return of.told([&](auto& level) { return level.publish(key); }).value();
    }
};

} // namespace

TEST_CASE_TEMPLATE_DEFINE("second_level_of: what was written with the lease of a miss is found until its time is up", Model, is_found)
{
    asked<Model> a;
    weir::level_finding<int> const miss = a.look_up("a");
    CHECK_FALSE(miss.value);
    CHECK_FALSE(miss.absent);
    REQUIRE(miss.lease);
    CHECK(a.put("a", {1, 1min}, miss.lease));
    CHECK(a.look_up("a").value == 1);
    CHECK_FALSE(a.look_up("a").lease);
    CHECK(a.look_up("b").lease); // keys do not meet
    a.later(59s);
    CHECK(a.look_up("a").value == 1);
    a.later(1s);
    CHECK_FALSE(a.look_up("a").value);
}
TEST_CASE_TEMPLATE_APPLY(is_found, every);

TEST_CASE_TEMPLATE_DEFINE("second_level_of: that there is none is an answer, and no miss", Model, absence)
{
    asked<Model> a;
    CHECK(a.put("a", {{}, 1min}, a.look_up("a").lease));
    weir::level_finding<int> const found = a.look_up("a");
    CHECK(found.absent);
    CHECK_FALSE(found.value);
    CHECK_FALSE(found.lease);
    CHECK(a.put("a", {2, 1min}, a.lease("a")));
    CHECK_FALSE(a.look_up("a").absent);
    CHECK(a.look_up("a").value == 2);
}
TEST_CASE_TEMPLATE_APPLY(absence, every);

TEST_CASE_TEMPLATE_DEFINE("second_level_of: one asker gets the lease, and after its time another one", Model, one_lease)
{
    asked<Model> a;
    weir::level_lease const first = a.look_up("a").lease;
    CHECK(first);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(a.look_up("a").lease);
    a.later(lease_time);
    weir::level_lease const second = a.look_up("a").lease;
    CHECK(second);
    CHECK_FALSE(second == first);
    CHECK_FALSE(a.put("a", {1, 1min}, first)); // it was given to another
    CHECK(a.put("a", {2, 1min}, second));
    CHECK(a.look_up("a").value == 2);
}
TEST_CASE_TEMPLATE_APPLY(one_lease, every);

TEST_CASE_TEMPLATE_DEFINE("second_level_of: a write is refused without a lease, with a used one, and with one from before a delete", Model,
                          refused)
{
    asked<Model> a;
    CHECK_FALSE(a.put("a", {1, 1min}, {}));
    weir::level_lease const lease = a.look_up("a").lease;
    CHECK_FALSE(a.erase("a"));
    CHECK_FALSE(a.put("a", {1, 1min}, lease));
    CHECK_FALSE(a.look_up("a").value);

    a.later(lease_time);
    weir::level_lease const another = a.look_up("a").lease;
    CHECK(a.put("a", {2, 1min}, another));
    CHECK_FALSE(a.put("a", {3, 1min}, another));
    CHECK(a.look_up("a").value == 2);
    CHECK(a.erase("a"));
    CHECK_FALSE(a.erase("a"));
    CHECK(a.look_up("a").lease); // who asks next after a delete may load
}
TEST_CASE_TEMPLATE_APPLY(refused, every);

TEST_CASE_TEMPLATE_DEFINE("second_level_of: a writer's lease outdates that of a load", Model, writers)
{
    asked<Model> a;
    weir::level_lease const load = a.look_up("a").lease;
    weir::level_lease const writer = a.lease("a");
    CHECK_FALSE(a.put("a", {1, 1min}, load));
    CHECK(a.put("a", {2, 1min}, writer));
    CHECK_FALSE(a.put("a", {1, 1min}, load));
    CHECK(a.look_up("a").value == 2);
    CHECK(a.put("a", {3, 1min}, a.lease("a")));
    CHECK(a.look_up("a").value == 3);
}
TEST_CASE_TEMPLATE_APPLY(writers, every);

TEST_CASE_TEMPLATE_DEFINE("second_level_of: messages reach who listens in order, numbered without a gap", Model, messages)
{
    asked<Model> a;
    std::vector<std::pair<std::uint64_t, std::string>> heard;
    a.of.level.listen([&](weir::invalidation<std::string> const& m) { heard.emplace_back(m.number, m.key); });
    CHECK(a.publish("a") == 1);
    CHECK(a.publish("b") == 2);
    CHECK(a.publish("a") == 3);
    CHECK(heard == std::vector<std::pair<std::uint64_t, std::string>>{{1, "a"}, {2, "b"}, {3, "a"}});
}
TEST_CASE_TEMPLATE_APPLY(messages, every);

TEST_CASE_TEMPLATE_DEFINE("second_level_of: a level that is down answers nothing, does nothing, and is whole when it is back", Model, down)
{
    asked<Model> a;
    CHECK(a.put("a", {1, 1min}, a.look_up("a").lease));
    a.of.level.down(true);
    CHECK(a.of.told([&](auto& level) { return level.look_up("a", a.now()); }).error() == weir::errc::unavailable);
    CHECK(a.of.told([&](auto& level) { return level.erase("a", a.now()); }).has_error());
    CHECK(a.of.told([&](auto& level) { return level.lease("a", a.now()); }).has_error());
    CHECK(a.of.told([&](auto& level) { return level.publish("a"); }).has_error());
    a.of.level.down(false);
    CHECK(a.look_up("a").value == 1);
    CHECK(a.publish("a") == 1); // the one that failed has no number
}
TEST_CASE_TEMPLATE_APPLY(down, every);

TEST_CASE_TEMPLATE_DEFINE("second_level_of: a random history never shows a value that a later delete or write has outdated", Model,
                          histories)
{
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        asked<Model> a;
        std::map<std::string, std::optional<int>> model;                               // what is there
        std::map<std::string, std::vector<std::pair<weir::level_lease, bool>>> leases; // and whether they hold
        for (int step = 0; step < 200; ++step) {
            std::string const key(1, static_cast<char>('a' + random() % 3));
            auto& given = leases[key];
            auto const outdate = [&] {
                for (auto& each : given) each.second = false;
            };
            switch (random() % 4) {
            case 0: {
                auto const found = a.look_up(key);
                REQUIRE(found.value == model[key]);
                if (found.lease) {
                    outdate();
                    given.emplace_back(found.lease, true);
                }
                break;
            }
            case 1:
                outdate();
                given.emplace_back(a.lease(key), true);
                break;
            case 2:
                outdate();
                REQUIRE(a.erase(key) == model[key].has_value());
                model[key].reset();
                break;
            default: {
                if (given.empty()) break;
                auto& which = given[random() % given.size()];
                bool const holds = std::exchange(which.second, false);
                REQUIRE(a.put(key, {step, 1h}, which.first) == holds);
                if (holds) model[key] = step;
            }
            }
        }
    }
}
TEST_CASE_TEMPLATE_APPLY(histories, every);
