// SPDX-License-Identifier: BSL-1.0
// Lesson 4: answers that are kept, so that the handler is asked less often.
//
// A cache may answer by itself: then nothing further in is asked. What it keeps is bounded and gets old. And since strangers may ask for things that
// do not exist, which no cache of answers can hold, there are two shields: "there is none" is kept, too, and a guard knows what exists.
#include "lesson.hpp"

#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct question {
    std::string symbol;
};

} // namespace

int main()
{
    lesson four("A cache, and what made-up keys do to it");
    weir::manual_clock clock;

    std::map<std::string, double> prices{{"ACME", 41.5}, {"WEIR", 7.25}};
    int asked = 0;
    auto const look_up = [&](question const& q) -> weir::result<double> { // stands for a database
        ++asked;
        auto const found = prices.find(q.symbol);
        if (found == prices.end()) return weir::errc::not_found;
        return found->second;
    };

    // Values are good for up to 30 s, "there is none" for 5 s. The jitter takes a part off the time at random, so that what was loaded at
    // the same moment does not get old at the same moment.
    weir::pipeline quotes{weir::timed_by{std::ref(clock)},
                          weir::cached{weir::store<std::string, double>{{.capacity = 1'000, .ttl = 30s, .jitter = 0.1, .negative_ttl = 5s}},
                                       weir::keyed_by(&question::symbol)},
                          look_up};

    question const acme{"ACME"};
    four.shows("the first call asks the handler", quotes(acme).value() == 41.5 && asked == 1);
    four.shows("a thousand more do not", [&] {
        for (int i = 0; i < 1'000; ++i) static_cast<void>(quotes(acme));
        return asked == 1;
    }());
    prices["ACME"] = 42;
    four.shows("what is kept may be old: choose the time that you can live with", quotes(acme).value() == 41.5);
    quotes.get<weir::cached>().store().erase(acme.symbol);
    four.shows("who changes a price has it forgotten", quotes(acme).value() == 42 && asked == 2);
    clock.advance(31s);
    four.shows("in any case it is loaded again after 30 s", quotes(acme).value() == 42 && asked == 3);

    question const nothing{"NOTHING"};
    four.shows("a negative answer is kept as well", quotes(nothing).has_error() && quotes(nothing).has_error() && asked == 4);

    // Now somebody asks for a thousand things that do not exist, each once. Nothing of this kind was kept, so all would reach the database:
    // the guard, a Bloom filter of the keys that exist, stops nearly all of them, for ten bits a key.
    std::vector<std::string> const known{"ACME", "WEIR"};
    weir::pipeline guarded{
        weir::timed_by{std::ref(clock)},
        weir::cached{weir::store<std::string, double>{{.capacity = 1'000}}, weir::keyed_by(&question::symbol), weir::bloom_guard{known}},
        look_up};
    asked = 0;
    for (int i = 0; i < 1'000; ++i) {
        question const made_up{"made up " + std::to_string(i)};
        static_cast<void>(guarded(made_up));
    }
    auto const stats = guarded.get<weir::cached>().stats();
    four.shows(fmt::format("of 1000 made-up keys {} reached the handler", asked), asked < 100 && stats.spared + stats.loads == 1'000);
    four.shows("what exists is found as before", guarded(acme).value() == 42);
    return four.exit_status();
}
