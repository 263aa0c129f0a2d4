// SPDX-License-Identifier: BSL-1.0
//
// What a hit costs through a pipeline of `cached` and a handler, beside `store::find` written by hand around the same handler: numbers,
// strings, and numbers asynchronously. The pipeline has a Bloom guard and single flight, too: a hit does not pay for them.
// usage: cached [{composed|by_hand}_{numbers|strings|later} CALLS]
// counted.sh counts the instructions a call from two runs with different numbers of calls; without arguments it measures time.
#include "allocations.hpp"

#include <weir/asio.hpp>
#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Time stands still: the reading of a clock is the same for both and would hide the difference.
struct frozen {
    static weir::time_point now() noexcept { return weir::time_point{1'000'000s}; }
};

struct quote {
    double bid = 0;
    double ask = 0;
};
template<class Key>
struct question {
    Key key;
};
constexpr std::size_t keys = 1'000;
constexpr weir::store_options options{.capacity = 100'000, .ttl = 30s, .negative_ttl = 5s};

template<class Key>
std::vector<question<Key>> const& questions()
{
    static std::vector<question<Key>> const all = [] {
        std::vector<question<Key>> made;
        for (std::size_t i = 0; i < keys; ++i) {
            if constexpr (std::is_same_v<Key, std::string>)
                made.push_back({"symbol " + std::to_string(i)});
            else
                made.push_back({i});
        }
        return made;
    }();
    return all;
}
template<class Key>
std::vector<Key> known()
{
    std::vector<Key> all;
    for (auto const& each : questions<Key>()) all.push_back(each.key);
    return all;
}

template<class Key>
[[gnu::noinline]] weir::result<quote> fetch(question<Key> const&)
{
    return quote{1, 2};
}
[[gnu::noinline]] asio::awaitable<weir::result<quote>> fetch_later(question<std::uint64_t> const&)
{
    co_return quote{1, 2};
}

template<class Key>
auto policy()
{
    return weir::cached{weir::store<Key, quote>{options}, weir::keyed_by(&question<Key>::key), weir::bloom_guard{known<Key>()}};
}

template<class Key>
class by_hand {
public:
    weir::result<quote> operator()(question<Key> const& q)
    {
        if (auto const found = store_.find(q.key, clock_.now())) [[likely]]
            return *found;
        return load(q);
    }
    asio::awaitable<weir::result<quote>> later(question<Key> const& q)
    {
        if (auto const found = store_.find(q.key, clock_.now())) [[likely]]
            co_return *found;
        weir::result<quote> const r = co_await fetch_later(q);
        if (r.has_value()) store_.put(q.key, *r, clock_.now());
        co_return r;
    }

private:
    [[gnu::noinline]] weir::result<quote> load(question<Key> const& q)
    {
        weir::result<quote> const r = fetch(q);
        if (r.has_value()) store_.put(q.key, *r, clock_.now());
        return r;
    }
    frozen clock_;
    weir::store<Key, quote> store_{options};
};

struct measured {
    std::size_t allocations = 0; ///< in the second half
    double nanoseconds = 0;      ///< a call
};

using watch = std::chrono::steady_clock;
double per_call(watch::time_point start, long calls)
{
    return std::chrono::duration<double, std::nano>(watch::now() - start).count() / static_cast<double>(calls);
}

template<class Key, class Service>
measured run(Service& svc, long calls)
{
    auto const& all = questions<Key>();
    double sum = 0;
    std::size_t before = 0;
    watch::time_point const start = watch::now();
    for (long i = 0; i < calls; ++i) {
        if (i == calls / 2) before = allocations();
        weir::result<quote> const r = svc(all[static_cast<std::size_t>(i) % keys]);
        sum += r->ask;
    }
    asm volatile("" ::"x"(sum) : "memory");
    return {allocations() - before, per_call(start, calls)};
}
template<class Call>
measured run_later(Call call, long calls)
{
    asio::io_context context(1);
    measured m;
    auto const loop = [&]() -> asio::awaitable<void> {
        auto const& all = questions<std::uint64_t>();
        double sum = 0;
        std::size_t before = 0;
        watch::time_point const start = watch::now();
        for (long i = 0; i < calls; ++i) {
            if (i == calls / 2) before = allocations();
            weir::result<quote> const r = co_await call(all[static_cast<std::size_t>(i) % keys]);
            sum += r->ask;
        }
        asm volatile("" ::"x"(sum) : "memory");
        m = {allocations() - before, per_call(start, calls)};
    };
    asio::co_spawn(context, loop(), asio::detached);
    context.run();
    return m;
}

template<class Key>
measured composed(long calls)
{
    weir::pipeline svc{weir::timed_by{frozen{}}, policy<Key>(), fetch<Key>};
    return run<Key>(svc, calls);
}
template<class Key>
measured hand_written(long calls)
{
    by_hand<Key> svc;
    return run<Key>(svc, calls);
}
measured composed_later(long calls)
{
    weir::pipeline svc{weir::timed_by{frozen{}}, policy<std::uint64_t>(), fetch_later};
    return run_later([&](auto const& q) { return svc(q); }, calls);
}
measured hand_written_later(long calls)
{
    by_hand<std::uint64_t> svc;
    return run_later([&](auto const& q) { return svc.later(q); }, calls);
}

struct way {
    char const* name;
    measured (*run)(long calls);
};
constexpr std::array ways{
    way{"composed_numbers", composed<std::uint64_t>},
    way{"by_hand_numbers", hand_written<std::uint64_t>},
    way{"composed_strings", composed<std::string>},
    way{"by_hand_strings", hand_written<std::string>},
    way{"composed_later", composed_later},
    way{"by_hand_later", hand_written_later},
};

} // namespace

int main(int argc, char** argv)
{
    if (argc == 3) {
        for (way const& each : ways)
            if (std::string_view(argv[1]) == each.name) return each.run(std::atol(argv[2])).allocations == 0 ? 0 : 1;
        std::fputs("usage: cached [{composed|by_hand}_{numbers|strings|later} CALLS]\n", stderr);
        return 2;
    }

    constexpr int rounds = 11;
    std::array<std::vector<measured>, ways.size()> seen;
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < ways.size(); ++i) seen[i].push_back(ways[i].run(200'000));
    std::printf("a hit               ns a call   allocations   (medians of %d alternating rounds)\n", rounds);
    std::size_t allocated = 0;
    for (std::size_t i = 0; i < ways.size(); ++i) {
        std::nth_element(seen[i].begin(), seen[i].begin() + rounds / 2, seen[i].end(),
                         [](measured const& a, measured const& b) { return a.nanoseconds < b.nanoseconds; });
        measured const& median = seen[i][rounds / 2];
        allocated += median.allocations;
        std::printf("%-18s %10.1f %13zu\n", ways[i].name, median.nanoseconds, median.allocations);
    }
    return allocated == 0 ? 0 : 1;
}
