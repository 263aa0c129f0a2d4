// SPDX-License-Identifier: BSL-1.0
#include <weir/core/errand.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

/// An errand that notes what becomes of it.
struct noted : weir::errand {
    std::vector<char>* notes;
    bool in_time;
    noted(std::vector<char>& n, bool t) : notes(&n), in_time(t) {}
    ~noted() override { notes->push_back('~'); }
    bool carry_out() noexcept override
    {
        notes->push_back(in_time ? 'r' : 'l');
        return in_time;
    }
    void fail(weir::error) noexcept override { notes->push_back('f'); }
    void tidy_up() noexcept override {}
};
struct told : weir::notifier {
    told() noexcept : notifier{[](notifier& self) noexcept { ++static_cast<told&>(self).times; }} {}
    int times = 0;
};
using ending = weir::errand::ending;
constexpr auto nothing = [] {};

} // namespace

TEST_CASE("errand: it runs once, wakes its call after the thread is free, and is gone when both have let go")
{
    std::vector<char> notes;
    weir::waiter w;
    told t;
    REQUIRE(w.attach(t));
    auto* const e = new noted(notes, true);
    e->goes_for(w);
    CHECK(e->run([&] {
        CHECK(t.times == 0);
        notes.push_back('b');
    }) == ending::returned);
    CHECK(t.times == 1);
    CHECK_FALSE(e->leave());
    e->release();
    CHECK(notes == std::vector<char>{'r', 'b'});
    e->release();
    CHECK(notes == std::vector<char>{'r', 'b', '~'});
}

TEST_CASE("errand: a call that has left is not woken, and what has not begun does not run")
{
    for (bool const in_time : {true, false}) {
        std::vector<char> notes;
        weir::waiter w;
        told t;
        REQUIRE(w.attach(t));
        auto* const e = new noted(notes, in_time);
        e->goes_for(w);
        CHECK(e->leave());
        CHECK(e->run(nothing) == ending::abandoned);
        CHECK(t.times == 0);
        CHECK(notes.empty());
        e->release();
        e->release();
    }
    std::vector<char> notes;
    weir::waiter w;
    auto* const late = new noted(notes, false);
    late->goes_for(w);
    CHECK(late->run(nothing) == ending::expired);
    late->release();
    late->release();
    auto* const refused = new noted(notes, true);
    refused->goes_for(w);
    refused->refuse(weir::errc::unavailable);
    CHECK_FALSE(refused->leave());
    refused->release();
    refused->release();
    CHECK(notes == std::vector<char>{'l', '~', 'f', '~'});
}

TEST_CASE("errand_list: first in, first out; from the middle, too, and from no other list")
{
    std::vector<char> notes;
    noted a(notes, true), b(notes, true), c(notes, true);
    weir::errand_list list, other;
    for (noted* e : {&a, &b, &c}) list.push_back(*e);
    CHECK_FALSE(other.remove(b));
    CHECK(list.remove(b));
    CHECK_FALSE(list.remove(b));
    CHECK(list.pop_front() == &a);
    CHECK(list.pop_front() == &c);
    CHECK(list.pop_front() == nullptr);
    CHECK(list.empty());
}
