// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/answer_store.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <list>
#include <map>
#include <random>
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
