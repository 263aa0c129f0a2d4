// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/answer_store.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <list>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

TEST_CASE("answer_store: random schedules come out as the model says")
{
    using store = weir::answer_store<int, weir::confined>;
    std::uint64_t const first = weir_test::first_seed();
    std::uint64_t answered = 0, evicted = 0;
    for (std::uint64_t seed = first; seed < first + weir_test::schedules(); ++seed) {
        std::mt19937 draws(static_cast<std::uint32_t>(seed));
        auto const below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(draws() % n); };
        weir::answer_store_options const o{
            .capacity = 1 + below(4), .ttl = std::chrono::milliseconds(1 + below(50)), .refuse_when_full = below(2) == 0};
        store kept{o};
        // The model: names in a map, the answered ones also in the order in which they were.
        struct known {
            std::uint64_t fingerprint;
            int answer; // 0: under way
            weir::time_point until;
        };
        std::map<std::string, known> names;
        std::list<std::string> order_of_answers;
        std::map<std::string, store::ticket> under_way;
        weir::time_point now{1h};
        for (int step = 0; step < 25; ++step) {
            now += std::chrono::milliseconds(below(15));
            std::string const name(1, static_cast<char>('a' + below(6)));
            if (auto const mine = under_way.find(name); mine != under_way.end() && below(2) == 0) { // it ends
                switch (below(3)) {
                case 0:
                    kept.keep(mine->second, step + 1, now);
                    names[name].answer = step + 1;
                    names[name].until = now + o.ttl;
                    order_of_answers.push_back(name);
                    break;
                case 1:
                    kept.forget(mine->second);
                    names.erase(name);
                    break;
                default: names.erase(name); // dropped
                }
                under_way.erase(mine);
                continue;
            }
            std::uint64_t const fingerprint = below(8) == 0 ? 2 : 1;
            store::claim want{};
            auto at = names.find(name);
            if (at != names.end() && at->second.answer != 0 && at->second.until <= now) {
                order_of_answers.remove(name);
                names.erase(at);
                at = names.end();
            }
            if (at != names.end())
                want = at->second.fingerprint != fingerprint ? store::claim::another
                       : at->second.answer != 0              ? store::claim::answered
                                                             : store::claim::under_way;
            else {
                while (!order_of_answers.empty() && names[order_of_answers.front()].until <= now) {
                    names.erase(order_of_answers.front());
                    order_of_answers.pop_front();
                }
                want = store::claim::mine;
                if (names.size() >= *o.capacity) {
                    if (o.refuse_when_full || order_of_answers.empty())
                        want = store::claim::full;
                    else {
                        names.erase(order_of_answers.front());
                        order_of_answers.pop_front();
                        ++evicted;
                    }
                }
                if (want == store::claim::mine) names[name] = {fingerprint, 0, weir::never};
            }
            store::ticket t;
            store::ticket& used = want == store::claim::mine ? under_way[name] : t;
            store::claim const got = kept.take(name, fingerprint, now, false, used);
            bool const right = got == want && (got != store::claim::answered || used.found() == weir::result<int>(names[name].answer)) &&
                               kept.stats().names == names.size();
            answered += got == store::claim::answered;
            if (!right)
                FAIL("seed " << seed << " step " << step << " name " << name << ": claim " << int(got) << ", expected " << int(want) << "; "
                             << kept.stats().names << " names, expected " << names.size());
        }
    }
    CHECK(answered > weir_test::schedules() / 4);
    CHECK(evicted > weir_test::schedules() / 10);
}

TEST_CASE("answer_store: memory is bounded in bytes, the oldest answers go first")
{
    using store = weir::answer_store<std::string, weir::confined>;
    weir::time_point const now{1h};
    store kept{{.capacity = 1'000, .max_bytes = 64'000}};
    for (int i = 0; i < 500; ++i) {
        store::ticket t;
        REQUIRE(kept.take(std::to_string(i), 1, now, false, t) == store::claim::mine);
        kept.keep(t, std::string(1'000, 'x'), now);
        REQUIRE(kept.stats().bytes <= 64'000);
    }
    auto const full = kept.stats();
    CHECK(full.names > 30); // an answer and its name take less than two kilobytes
    CHECK(full.names < 64);
    CHECK(full.evicted == 500 - full.names);
    {
        store::ticket t;
        CHECK(kept.take("499", 1, now, false, t) == store::claim::answered);
        CHECK(kept.take(std::to_string(500 - full.names), 1, now, false, t) == store::claim::answered);
        CHECK(t.found().value() == std::string(1'000, 'x'));
    }
    { // what is larger than all is not kept: a repeat of it runs again
        store::ticket t, again;
        REQUIRE(kept.take("large", 1, now, false, t) == store::claim::mine);
        kept.keep(t, std::string(100'000, 'x'), now);
        CHECK(kept.stats().names == 0);
        CHECK(kept.stats().bytes == 0);
        CHECK(kept.take("large", 1, now, false, again) == store::claim::mine);
    }
    CHECK(kept.stats().bytes == 0); // given up
}

TEST_CASE("answer_store: what is under way takes its bytes, and is never forgotten")
{
    using store = weir::answer_store<std::string, weir::confined>;
    weir::time_point const now{1h};
    store kept{{.capacity = 1'000, .max_bytes = 1'024, .refuse_when_full = true}};
    std::list<store::ticket> under_way;
    while (kept.take(std::to_string(under_way.size()), 1, now, false, under_way.emplace_back()) == store::claim::mine)
        REQUIRE(under_way.size() < 100);
    under_way.pop_back();
    CHECK(under_way.size() >= 2);
    CHECK(kept.stats().names == under_way.size());
    kept.keep(under_way.front(), std::string(2'000, 'x'), now); // no room beside them: a repeat of it runs again
    store::ticket again;
    CHECK(kept.take("0", 1, now, false, again) == store::claim::mine);
    under_way.clear();
    CHECK_THROWS_WITH_AS(store({.capacity = 1, .max_bytes = 1}), "answer_store.max_bytes: expected at least 1,024", std::invalid_argument);
}
