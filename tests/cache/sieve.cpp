// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/sieve.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <random>

namespace {

/// SIEVE as the paper tells it, over a list, newest first.
class naive_sieve {
public:
    void insert(std::uint32_t at) { entries_.push_front({at, false}); }
    void touch(std::uint32_t at) { where(at)->visited = true; }
    void erase(std::uint32_t at)
    {
        auto const gone = where(at);
        if (hand_ == gone) step();
        entries_.erase(gone);
    }
    std::uint32_t evict()
    {
        if (hand_ == entries_.end()) hand_ = std::prev(entries_.end());
        while (hand_->visited) {
            hand_->visited = false;
            step();
            if (hand_ == entries_.end()) hand_ = std::prev(entries_.end());
        }
        std::uint32_t const victim = hand_->at;
        erase(victim);
        return victim;
    }
    bool contains(std::uint32_t at) { return where(at) != entries_.end(); }
    std::size_t size() const { return entries_.size(); }

private:
    struct entry {
        std::uint32_t at;
        bool visited;
    };
    std::list<entry>::iterator where(std::uint32_t at)
    {
        return std::find_if(entries_.begin(), entries_.end(), [&](entry const& e) { return e.at == at; });
    }
    void step() { hand_ = hand_ == entries_.begin() ? entries_.end() : std::prev(hand_); }

    std::list<entry> entries_;
    std::list<entry>::iterator hand_ = entries_.end();
};

} // namespace

TEST_CASE("sieve: what was never hit leaves in the order in which it came")
{
    weir::sieve<> order(3);
    for (std::uint32_t at : {2u, 0u, 1u}) order.insert(at);
    CHECK(order.evict() == 2);
    CHECK(order.evict() == 0);
    CHECK(order.evict() == 1);
    CHECK(order.evict() == weir::sieve<>::none);
}

TEST_CASE("sieve: a hit spares an entry once")
{
    weir::sieve<weir::confined> order(3);
    for (std::uint32_t at : {0u, 1u, 2u}) order.insert(at);
    order.touch(0);
    CHECK(order.evict() == 1);
    order.insert(1);
    CHECK(order.evict() == 2); // the hand goes on from where it stood
    CHECK(order.evict() == 1);
    CHECK(order.evict() == 0);
}

TEST_CASE("sieve: where all were hit, the oldest leaves")
{
    weir::sieve<> order(4);
    for (std::uint32_t at = 0; at < 4; ++at) {
        order.insert(at);
        order.touch(at);
    }
    CHECK(order.evict() == 0);
}

TEST_CASE_TEMPLATE("sieve: random histories go as in the naive list", Threading, weir::shared, weir::confined)
{
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        auto const slots = static_cast<std::uint32_t>(1 + random() % 12);
        weir::sieve<Threading> order(slots);
        naive_sieve naive;
        for (int step = 0; step < 2'000; ++step) {
            auto const at = static_cast<std::uint32_t>(random() % slots);
            REQUIRE(order.contains(at) == naive.contains(at));
            if (!order.contains(at)) {
                order.insert(at);
                naive.insert(at);
            } else if (random() % 4 != 0) {
                order.touch(at);
                naive.touch(at);
            } else {
                order.erase(at);
                naive.erase(at);
            }
            if (naive.size() != 0 && random() % 5 == 0) REQUIRE(order.evict() == naive.evict());
            REQUIRE(order.size() == naive.size());
        }
    }
}
