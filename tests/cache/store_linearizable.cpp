// SPDX-License-Identifier: BSL-1.0
#include "linearizable.hpp"

#include <weir/cache/store.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point now{1h};
#if defined(WEIR_SANITIZED)
constexpr int rounds_of_histories = 1'000;
#else
constexpr int rounds_of_histories = 10'000;
#endif

/// What one operation on one key did.
struct act {
    enum kind { found, wrote, erased, leased, wrote_leased } what;
    int value = 0;     // found or written; zero: nothing
    bool done = false; // a leased write: it was kept; an erasure: there was something
    std::size_t lease = 0;
};

/// A key as the store promises it: its value, how often it was invalidated, and at which of these its leases were taken.
struct promise {
    int value = 0;
    int invalidated = 0;
    std::array<int, 4> leases{}; // one more than `invalidated` was; zero: not taken

    friend auto operator<=>(promise const&, promise const&) = default;
};

bool could(promise& key, act const& a)
{
    switch (a.what) {
    case act::found: return a.value == key.value;
    case act::wrote:
        key.value = a.value;
        ++key.invalidated;
        return true;
    case act::erased:
        if (a.done != (key.value != 0)) return false;
        key.value = 0;
        ++key.invalidated;
        return true;
    case act::leased: key.leases[a.lease] = key.invalidated + 1; return true;
    case act::wrote_leased:
        if (!a.done) return key.leases[a.lease] != key.invalidated + 1; // nobody else has these keys' stamps: no refusal without cause
        if (key.leases[a.lease] != key.invalidated + 1) return false;
        key.value = a.value;
        return true;
    }
    return false;
}

using history = std::vector<weir_test::operation<act>>;

template<class Value>
Value made(int n)
{
    if constexpr (std::is_same_v<Value, int>)
        return n;
    else
        return std::make_shared<int const>(n);
}
int number(int n)
{
    return n;
}
int number(std::shared_ptr<int const> const& p)
{
    return *p;
}

/// Threads make histories of a few operations on two keys, round after round, with resizes in between; each key's has to be linearizable.
template<class Value>
std::string wrong_history(int rounds)
{
    constexpr unsigned threads = 2; // at once, where there are two processors: overlapping is what counts
    weir::store<int, Value> store{{.capacity = 64, .ttl = 1h, .seed = 5u}};
    std::atomic<std::uint64_t> clock{0};
    std::array<std::array<history, 2>, threads> made_by;
    std::string wrong;
    std::atomic<bool> stop{false};
    int round = 0;
    auto const check = [&]() noexcept {
        for (std::size_t key = 0; key < 2; ++key) {
            history all;
            for (auto& mine : made_by) {
                all.insert(all.end(), mine[key].begin(), mine[key].end());
                mine[key].clear();
            }
            if (weir_test::linearizable(all, promise{}, could)) continue;
            wrong = "round " + std::to_string(round) + ", key " + std::to_string(key) + ":";
            for (auto const& o : all)
                wrong += "\n  " + std::to_string(o.called) + ".." + std::to_string(o.returned) + " kind " + std::to_string(o.what.what) +
                         " value " + std::to_string(o.what.value) + " done " + std::to_string(o.what.done) + " lease " +
                         std::to_string(o.what.lease);
        }
        store.clear();
        if (++round == rounds || !wrong.empty()) stop = true;
    };
    // Spins, so that both set off at the same moment.
    std::atomic<unsigned> waiting{0};
    std::atomic<unsigned> turn{0};
    auto const meet = [&] {
        unsigned const mine = turn;
        if (++waiting == threads) {
            waiting = 0;
            check();
            ++turn;
        }
        for (int spins = 0; turn == mine; ++spins)
            if (spins > 1'000) std::this_thread::yield();
    };

    auto const work = [&](unsigned me) {
        std::mt19937 random(me + 1);
        while (!stop) {
            std::array<std::optional<weir::store_lease>, 2> lease;
            for (int step = 0; step < 10; ++step) {
                std::size_t const which = random() % 2;
                int const key = static_cast<int>(which);
                int const value = static_cast<int>(me * 100 + static_cast<unsigned>(step) + 1);
                act a{act::found};
                std::uint64_t const called = clock++;
                switch (random() % 8) {
                case 0:
                    a = {act::wrote, value};
                    store.put(key, made<Value>(value), now);
                    break;
                case 1:
                    a = {act::erased};
                    a.done = store.erase(key);
                    break;
                case 2:
                case 3:
                    a = {act::leased};
                    a.lease = me;
                    lease[which] = store.lease(key);
                    break;
                case 4:
                    if (lease[which]) {
                        a = {act::wrote_leased, value};
                        a.lease = me;
                        a.done = store.put(key, made<Value>(value), now, *lease[which]);
                        break;
                    }
                    store.resize(32 + random() % 200, now);
                    [[fallthrough]];
                case 5: store.visit(key, now, [&](Value const& seen, auto const&) { a.value = number(seen); }); break;
                default:
                    if (auto const seen = store.find(key, now)) a.value = number(*seen);
                }
                made_by[me][which].push_back({a, called, clock++});
            }
            meet();
        }
    };
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(work, i);
    work(0);
    others.clear();
    return wrong;
}

weir_test::operation<act> op(act a, std::uint64_t called, std::uint64_t returned)
{
    return {a, called, returned};
}

} // namespace

TEST_CASE("store_linearizable: the checker tells a history that could be from one that could not")
{
    using weir_test::linearizable;
    CHECK(linearizable(history{}, promise{}, could));
    // A look-up beside a write may see either; after it, the write alone.
    CHECK(linearizable(history{op({act::wrote, 1}, 0, 3), op({act::found, 0}, 1, 2)}, promise{}, could));
    CHECK(linearizable(history{op({act::wrote, 1}, 0, 3), op({act::found, 1}, 1, 2)}, promise{}, could));
    CHECK_FALSE(linearizable(history{op({act::wrote, 1}, 0, 1), op({act::found, 0}, 2, 3)}, promise{}, could));
    // Two look-ups, one after the other beside a write, do not see it come and go.
    CHECK_FALSE(linearizable(history{op({act::wrote, 1}, 0, 9), op({act::found, 1}, 1, 2), op({act::found, 0}, 3, 4)}, promise{}, could));
    // A leased write over an erasure that came in between.
    CHECK_FALSE(
        linearizable(history{op({act::leased}, 0, 1), op({act::erased}, 2, 3), op({act::wrote_leased, 1, true}, 4, 5)}, promise{}, could));
    CHECK(linearizable(
              history{op({act::leased}, 0, 1), op({act::erased}, 2, 5), op({act::wrote_leased, 1, true}, 3, 4), op({act::found}, 6, 7)},
              promise{}, could) == false); // it found nothing to erase, so it came before the write: the write was not over it
    CHECK(linearizable(
        history{op({act::leased}, 0, 1), op({act::erased, 0, true}, 2, 5), op({act::wrote_leased, 1, true}, 3, 4), op({act::found}, 6, 7)},
        promise{}, could));
}

TEST_CASE("store_linearizable: each key of a shared store is a register with leases, plain values")
{
    CHECK(wrong_history<int>(rounds_of_histories) == "");
}
TEST_CASE("store_linearizable: each key of a shared store is a register with leases, shared values")
{
    CHECK(wrong_history<std::shared_ptr<int const>>(rounds_of_histories) == "");
}
