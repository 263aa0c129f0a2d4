// SPDX-License-Identifier: BSL-1.0
#include <weir/core/result.hpp>

#include <boost/system/errc.hpp>
#include <boost/system/generic_category.hpp>
#include <boost/system/system_category.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace sys = boost::system;

struct other_category final : sys::error_category {
    explicit other_category(unsigned long long id) : error_category(id) {}
    char const* name() const noexcept override { return "other"; }
    std::string message(int) const override { return "other"; }
};

static_assert(sizeof(weir::error) == 16);
static_assert(std::is_trivially_copyable_v<weir::error>);
static_assert(!std::is_aggregate_v<weir::error>);
static_assert(!std::is_convertible_v<int, weir::error>);
static_assert(!std::is_constructible_v<weir::error, int>);
static_assert(std::is_convertible_v<weir::errc, weir::error>);
static_assert(std::is_same_v<weir::result<int>, sys::result<int, weir::error>>);

} // namespace

TEST_CASE("error: says why, when to come back, and who says so")
{
    constexpr weir::error e(weir::errc::rate_limited, 3s);
    static_assert(e == weir::errc::rate_limited && e.retry_after() == 3s && e.policy() == weir::error::no_policy);
    static_assert(e.by(4).policy() == 4 && e.by(4) == e);
    static_assert(e.with_retry_after(1ns).retry_after() == 1ns);
    CHECK_FALSE(e == weir::errc::overloaded);
}

TEST_CASE("error: is an error_code of the category weir")
{
    for (int i = 1; i <= static_cast<int>(weir::errc::foreign); ++i) {
        auto const kind = static_cast<weir::errc>(i);
        CHECK(weir::to_string(kind) != "unknown");
        if (kind == weir::errc::foreign) continue;
        sys::error_code const code = weir::error(kind);
        CHECK(code.category() == weir::weir_category());
        CHECK(code.value() == i);
        CHECK(code.message() == weir::to_string(kind));
        CHECK(code.failed());
        weir::error const back = code;
        CHECK(back == kind);
    }
    CHECK(std::string(weir::weir_category().name()) == "weir");
    sys::error_code const named = weir::errc::cancelled;
    CHECK(named == weir::errc::cancelled);
}

TEST_CASE("error: has the equivalents of std::errc")
{
    namespace generic = sys::errc;
    auto const code = [](weir::errc e) { return weir::make_error_code(e); };
    CHECK(code(weir::errc::deadline_exceeded) == generic::timed_out);
    CHECK(code(weir::errc::cancelled) == generic::operation_canceled);
    CHECK(code(weir::errc::rate_limited) == generic::resource_unavailable_try_again);
    CHECK(code(weir::errc::circuit_open) == generic::resource_unavailable_try_again);
    CHECK(code(weir::errc::forbidden) == generic::permission_denied);
    CHECK(code(weir::errc::invalid_request) == generic::invalid_argument);
    CHECK(code(weir::errc::payload_too_large) == generic::message_size);
    CHECK(code(weir::errc::not_found) != generic::timed_out);
    CHECK(std::error_code(code(weir::errc::deadline_exceeded)) == std::errc::timed_out);
}

TEST_CASE("error: keeps codes of other categories")
{
    static other_category const mine(0x7065617273ull);
    for (sys::error_code const code :
         {sys::error_code(13, sys::generic_category()), sys::error_code(104, sys::system_category()), sys::error_code(-7, mine)}) {
        weir::error const e = code;
        CHECK(e == weir::errc::foreign);
        CHECK(e.code() == code);
        CHECK(e.code().category() == code.category());
        CHECK(e.by(3).code() == code);
        CHECK(e.with_retry_after(1s).code() == code);
        CHECK_FALSE(e == weir::error(sys::error_code(code.value() + 1, code.category())));
    }
}

TEST_CASE("error: categories may become known by several threads at once")
{
    std::vector<std::unique_ptr<other_category>> categories;
    for (unsigned i = 0; i < 8; ++i) categories.push_back(std::make_unique<other_category>(0x77656972'0000ull + i));
    static std::vector<std::unique_ptr<other_category>> const kept = std::move(categories); // the table names them for ever
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 200; ++i)
                for (auto const& category : kept) CHECK(weir::error(sys::error_code(i + 1, *category)).code().category() == *category);
        });
    for (auto& t : threads) t.join();
}

TEST_CASE("result: a value, or an error that throws its code")
{
    weir::result<int> const good = 3;
    CHECK(good.value() == 3);
    CHECK(good.error() == weir::errc{});
    weir::result<int> const bad = weir::errc::not_found;
    CHECK(bad.has_error());
    try {
        static_cast<void>(bad.value());
        CHECK(false);
    } catch (sys::system_error const& e) {
        CHECK(e.code() == weir::errc::not_found);
    }
    weir::result<void> const nothing;
    CHECK(nothing.has_value());
}
