// SPDX-License-Identifier: BSL-1.0
// What a debug build sees of threads that use what is confined at once, and that it takes no turns for it.
#include <weir/core/threading.hpp>

#include <weir/limit/gcra.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

weir::time_point at(std::int64_t ns)
{
    return weir::time_point{weir::duration{ns}};
}

#ifndef NDEBUG

struct ending {
    int signal = 0;
    std::string said;
};

/// Runs `f` in a process of its own, for a minute at most, and tells how that ended and what it wrote to standard error.
template<class F>
ending in_a_process(F f)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_t const child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL); // doctest has a handler
        dup2(ends[1], 2);
        close(ends[0]);
        alarm(60);
        f();
        _exit(0);
    }
    close(ends[1]);
    ending how;
    char bytes[512];
    for (ssize_t got; (got = read(ends[0], bytes, sizeof bytes)) > 0;) how.said.append(bytes, static_cast<std::size_t>(got));
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    how.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return how;
}

bool contains(std::string const& text, char const* part)
{
    return text.find(part) != std::string::npos;
}

#endif

} // namespace

#ifndef NDEBUG

TEST_CASE("confined_watch: threads may take turns, and the first one needs not be the one that made it")
{
    weir::detail::confined_watch watch;
    int const thing = 0;
    int pauses = 0;
    auto const pause = [&] { ++pauses; };
    CHECK(watch.enter(&thing, 1, pause));
    CHECK(watch.enter(&thing, 1, pause));
    CHECK(pauses == 0); // the same thread, or the first one, does not wait
    for (std::uint16_t turn = 0; turn < 10; ++turn) CHECK(watch.enter(&thing, static_cast<std::uint16_t>(2 + turn % 2), pause));
    CHECK(pauses == 10);
}

TEST_CASE("confined_watch: who comes while another is still there is seen")
{
    weir::detail::confined_watch watch;
    int const thing = 0;
    auto const nothing = [] {};
    CHECK(watch.enter(&thing, 1, nothing));
    bool inner = true;
    bool const outer = watch.enter(&thing, 2, [&] { inner = watch.enter(&thing, 1, nothing); });
    CHECK_FALSE(outer);
    CHECK(inner); // this one could be the next in turn; the other knows that its own use has not ended
}

TEST_CASE("confined_watch: things that share a place in the table are not taken for each other")
{
    auto watch = std::make_unique<weir::detail::confined_watch>();
    std::vector<char> const things(100'000);
    auto const nothing = [] {};
    for (char const& each : things) REQUIRE(watch->enter(&each, 1, nothing));
    for (char const& each : things)
        REQUIRE(watch->enter(&each, 2, [&] {
            for (char const& other : things)
                if (&other != &each && &other < &things[2'000]) REQUIRE(watch->enter(&other, 3, nothing));
        }));
}

TEST_CASE("confined: another one's write between a reading and its writing ends a debug build")
{
    ending const how = in_a_process([] {
        weir::confined::cell<int> cell{1};
        int seen = cell.load();
        cell.store(2); // as another thread would
        cell.replace(seen, 3);
    });
    CHECK(how.signal == SIGABRT);
    CHECK(contains(how.said,
                   "is confined to one thread or strand, and was used by two threads at once; use weir::shared, or keep it on one\n"));
}

TEST_CASE("confined: two that are under the lock at once end a debug build, with what made the lock named")
{
    struct holder {
        weir::confined::mutex mutex;
        holder() {}
    };
    ending const how = in_a_process([] {
        holder h;
        std::lock_guard const one(h.mutex);
        std::lock_guard const two(h.mutex);
    });
    CHECK(how.signal == SIGABRT);
    CHECK(contains(how.said, "holder::holder()"));
}

// Under the thread sanitizer the race would be reported as such.
#if !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define WEIR_RACES 1
#elif !__has_feature(thread_sanitizer)
#define WEIR_RACES 1
#endif
#endif

#ifdef WEIR_RACES
TEST_CASE("confined: a gcra that two threads use at once ends a debug build, and is named")
{
    ending const how = in_a_process([] {
        weir::gcra<weir::confined> limiter{{.permits = 1'000'000'000, .per = 1s, .burst = 1'000'000}};
        auto const work = [&] {
            for (std::int64_t now = 0;; ++now) static_cast<void>(limiter.try_acquire(at(now)));
        };
        std::thread other(work);
        work();
    });
    CHECK(how.signal == SIGABRT);
    CHECK(contains(how.said, "weir: "));
    CHECK(contains(how.said, "gcra<"));
    CHECK(contains(how.said, "is confined to one thread or strand"));
}
#endif

#endif

TEST_CASE("confined: threads that take turns, as those of a strand do, are never stopped")
{
    weir::gcra<weir::confined> limiter{{.permits = 1'000'000'000, .per = 1s, .burst = 1'000'000}}; // made here, first used elsewhere
    std::mutex turn;                                                                               // a strand's promise
    std::atomic<int> admitted{0};
    auto const work = [&] {
        for (int i = 0; i < 20'000; ++i) {
            std::lock_guard const lock(turn);
            if (limiter.try_acquire(at(i))) ++admitted;
        }
    };
    std::thread one(work), two(work);
    one.join();
    two.join();
    CHECK(admitted == 40'000);
    CHECK(limiter.settings().permits == 1'000'000'000); // and handed back
}
