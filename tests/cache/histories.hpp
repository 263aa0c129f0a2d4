// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/testing/check_schedules.hpp>
#include <weir/testing/simulation.hpp>

#include "../schedules.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>

namespace weir_test {

using number_handler = std::function<boost::asio::awaitable<weir::result<int>>(int)>;

/// Callers of a cache who come, wait and give up, loads that take their time, fail and throw, and changes of the source that erase what is kept:
/// one random schedule against what is known for sure. No value is older than what it was when it was asked for; there is one load a key of those
/// that began after its last change; every caller hears something; and what is kept at the end is what is there.
class cache_history {
    static constexpr std::size_t keys = 3;

public:
    explicit cache_history(weir::schedule& s) : s_(s) {}

    /// The source behind the cache.
    [[nodiscard]] number_handler handler()
    {
        return [this](int key) { return load(static_cast<std::size_t>(key)); };
    }
    template<class Service>
    void run(Service& svc, weir::simulation& world)
    {
        auto& cache = svc.template get<weir::cached>();
        for (std::uint64_t step = s_.between(std::uint64_t{8}, 40); step > 0 && !s_.has_failed(); --step) {
            std::size_t const key = s_.draw(keys);
            switch (s_.draw(10)) {
            case 0:
            case 1: // the source changes, and says so
                there_[key] = ++version_;
                cache.erase(static_cast<int>(key));
                since_change_[key] = 0;
                ++change_[key];
                s_.tell("source", "key ", key, " is ", version_);
                break;
            case 2:
                if (s_.chance(0.3)) {
                    for (std::size_t each = 0; each < keys; ++each) {
                        there_[each] = ++version_;
                        since_change_[each] = 0;
                        ++change_[each];
                    }
                    cache.clear();
                    s_.tell("source", "all have changed");
                }
                break;
            case 3:
                if (!callers_.empty()) callers_[s_.draw(callers_.size())].signal.emit(boost::asio::cancellation_type::terminal);
                break;
            default: {
                caller& one = callers_.emplace_back();
                world.spawn(ask(svc, key, one), one.signal.slot());
            }
            }
            world.run_for(s_.between(std::chrono::milliseconds(0), std::chrono::milliseconds(30)));
        }
        world.run();
        for (caller const& each : callers_) s_.expect(each.heard == 1, "every caller hears something, once");
        calm_ = true;
        for (std::size_t key = 0; key < keys && !s_.has_failed(); ++key) {
            caller& last = callers_.emplace_back();
            world.spawn(ask(svc, key, last));
            world.run();
            s_.expect(last.came == there_[key], "what is kept at the end is what is there");
        }
    }

private:
    struct caller {
        boost::asio::cancellation_signal signal;
        int heard = 0;
        int came = -1;
    };
    /// A load that is under way, until its coroutine is gone.
    struct under_way {
        cache_history& of;
        std::size_t key;
        int change;
        under_way(cache_history& history, std::size_t k) : of(history), key(k), change(history.change_[k])
        {
            of.s_.expect(++of.since_change_[key] == 1, "one load a key at a time");
        }
        under_way(under_way const&) = delete;
        under_way& operator=(under_way const&) = delete;
        ~under_way()
        {
            if (of.change_[key] == change) --of.since_change_[key];
        }
    };
    boost::asio::awaitable<weir::result<int>> load(std::size_t key)
    {
        int const read = there_[key];
        under_way const mine(*this, key);
        s_.tell("source", "a load of key ", key, " reads ", read);
        co_await weir::sleep(s_, s_.between(std::chrono::milliseconds(0), std::chrono::milliseconds(60)));
        if (!calm_ && s_.chance(0.1)) throw std::runtime_error("unlucky");
        if (!calm_ && s_.chance(0.1)) co_return weir::errc::upstream_failed;
        co_return read;
    }
    template<class Service>
    boost::asio::awaitable<void> ask(Service& svc, std::size_t key, caller& one)
    {
        int const least = there_[key];
        try {
            weir::result<int> const r = co_await svc(static_cast<int>(key));
            ++one.heard;
            if (r.has_value()) {
                one.came = *r;
                s_.tell("caller", "key ", key, " came as ", *r, ", was ", least);
                s_.expect(*r >= least, "no value is older than what it was when it was asked for");
            }
        } catch (std::runtime_error const&) {
            ++one.heard;
        }
    }

    weir::schedule& s_;
    std::array<int, keys> there_{};
    std::array<int, keys> since_change_{}; // loads under way that began after the last change
    std::array<int, keys> change_{};
    int version_ = 0;
    bool calm_ = false;
    std::deque<caller> callers_;
};

} // namespace weir_test
