// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/store_snapshot.hpp>

#include <weir/cache/store.hpp>

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using weir_test::bytes_of;
using weir_test::scratch_folder;
using weir_test::write_bytes;

namespace {

constexpr weir::time_point start{1h};
constexpr weir::time_point restarted{5s}; // another process: its monotonic clock says something else
constexpr std::chrono::system_clock::time_point noon{500'000h};

/// A type with a codec of its own: "x,y", and 13 is unlucky.
struct pair_of_words {
    std::string x;
    std::string y;
    friend bool operator==(pair_of_words const&, pair_of_words const&) = default;
};

template<class Store>
std::string refused(Store& into, std::string const& path)
{
    try {
        static_cast<void>(weir::load_store(into, path, restarted, noon));
    } catch (weir::file_error const& e) {
        return e.what();
    }
    return "";
}

} // namespace

template<>
struct weir::snapshot_codec<pair_of_words> {
    static constexpr std::uint32_t version = 7;
    static void encode(pair_of_words const& from, std::string& to) { to += from.x + "," + from.y; }
    static std::optional<pair_of_words> decode(std::string_view from)
    {
        auto const comma = from.find(',');
        if (comma == std::string_view::npos || from == "13,13") return std::nullopt;
        return pair_of_words{std::string(from.substr(0, comma)), std::string(from.substr(comma + 1))};
    }
};

TEST_CASE("store_snapshot: negative answers come back, too, for the time that they had left")
{
    scratch_folder const folder;
    std::string const path = folder.file("quotes");
    weir::store_options const options{.capacity = 100, .ttl = 60s, .jitter = 0, .negative_ttl = 30s};
    {
        weir::store<std::string, int> quotes{options};
        quotes.put("IBM", 1, start);
        quotes.put_absent("NONE", start - 5s);
        quotes.put_absent("SOON", start - 25s);
        quotes.put_absent("GONE", start - 30s);
        CHECK(weir::save_store(quotes, path, start, noon) == 3);
    }
    weir::store<std::string, int> quotes{options};
    weir::snapshot_restored const r = weir::load_store(quotes, path, restarted, noon + 10s);
    CHECK(r.restored == 2);
    CHECK(r.absent == 1);
    CHECK(r.expired == 1);
    CHECK(r.refused == 0);
    CHECK(quotes.find("NONE", restarted).negative());
    CHECK(quotes.find("NONE", restarted).left() == 15s);
    CHECK(quotes.find("NONE", restarted + 15s).miss());
    CHECK(quotes.find("SOON", restarted).miss());
    CHECK(*quotes.find("IBM", restarted) == 1);

    weir::store<std::string, int> without{{.capacity = 100, .ttl = 60s}};
    weir::snapshot_restored const there = weir::load_store(without, path, restarted, noon);
    CHECK(there.restored == 1);
    CHECK(there.absent == 0);
    CHECK(there.refused == 2);
}

TEST_CASE("store_snapshot: a file of the version before is still read; one of a version to come is refused")
{
    scratch_folder const folder;
    std::string const path = folder.file("quotes");
    auto const saved = [&](std::uint32_t version) { // as the first version wrote it
        weir::detail::file_writer out(path, {weir::detail::snapshot_kind.magic, version, ""});
        out.put(weir::detail::snapshot_head{weir::snapshot_codec<std::string>::version, weir::snapshot_codec<int>::version,
                                            std::chrono::nanoseconds(noon.time_since_epoch()).count()});
        out.put(weir::detail::snapshot_entry{3, sizeof(int), std::chrono::nanoseconds(20s).count(), 0});
        out.write("IBM", 3);
        out.put(7);
        out.put(weir::detail::snapshot_entry{weir::detail::snapshot_entry::end, 0, 1, 0});
        out.commit();
    };
    saved(1);
    weir::store<std::string, int> quotes{{.capacity = 100, .ttl = 60s}};
    CHECK(weir::load_store(quotes, path, restarted, noon).restored == 1);
    CHECK(*quotes.find("IBM", restarted) == 7);
    CHECK(quotes.find("IBM", restarted).left() == 20s);

    for (std::uint32_t const unknown : {0u, 3u}) {
        saved(unknown);
        std::string const why = refused(quotes, path);
        CHECK_MESSAGE(why.find("has version " + std::to_string(unknown) + ", expected 2") != std::string::npos, why);
    }
}

TEST_CASE("store_snapshot: values come back for the time that they had left; what is out of date by then does not")
{
    scratch_folder const folder;
    std::string const path = folder.file("quotes");
    {
        weir::store<std::string, int> quotes{{.capacity = 100, .ttl = 60s, .jitter = 0}};
        quotes.put("old", 1, start - 50s);
        quotes.put("young", 2, start - 5s);
        quotes.put("gone", 3, start - 60s);
        quotes.put("long", 4, start, {.left = 1h, .took = 3ms});
        CHECK(weir::save_store(quotes, path, start, noon) == 3);
    }
    weir::store<std::string, int> quotes{{.capacity = 100, .ttl = 60s}};
    weir::snapshot_restored const r = weir::load_store(quotes, path, restarted, noon + 20s);
    CHECK(r.restored == 2);
    CHECK(r.expired == 1);
    CHECK(r.refused == 0);
    CHECK(quotes.size() == 2);
    CHECK(*quotes.find("young", restarted) == 2);
    CHECK(quotes.find("young", restarted).left() == 35s);
    CHECK(quotes.find("young", restarted + 35s - 1ns).hit());
    CHECK(quotes.find("young", restarted + 35s).miss());
    CHECK(quotes.find("old", restarted).miss());
    CHECK(quotes.find("long", restarted).left() == 1h - 20s);
    CHECK(quotes.find("long", restarted).took() > 2'990us);
}

TEST_CASE("store_snapshot: a clock that went back takes nothing off")
{
    scratch_folder const folder;
    weir::store<int, int> numbers{{.capacity = 10, .ttl = 60s, .jitter = 0}};
    numbers.put(1, 2, start);
    weir::save_store(numbers, folder.file("n"), start, noon);
    numbers.clear();
    CHECK(weir::load_store(numbers, folder.file("n"), restarted, noon - 1h).restored == 1);
    CHECK(numbers.find(1, restarted).left() == 60s);
}

TEST_CASE("store_snapshot: strings, shared values and types with a codec of their own, in random stores")
{
    scratch_folder const folder;
    std::string const path = folder.file("store");
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        using store = weir::store<std::string, std::shared_ptr<pair_of_words const>>;
        store before{{.capacity = 5'000, .ttl = 100s, .jitter = 0}};
        std::map<std::string, std::pair<pair_of_words, weir::time_point>> model;
        for (std::size_t i = random() % 500; i != 0; --i) {
            std::string const key(random() % 40, static_cast<char>(random()));
            pair_of_words const value{std::to_string(random()), std::string(random() % 3'000, 'y')};
            auto const written = start - std::chrono::milliseconds(random() % 120'000);
            before.put(key, std::make_shared<pair_of_words const>(value), written);
            model[key] = {value, written + 100s};
        }
        weir::save_store(before, path, start, noon);
        store after{{.capacity = 5'000, .ttl = 1s}};
        weir::load_store(after, path, restarted, noon + 10s);
        std::size_t good = 0;
        for (auto const& [key, expected] : model) {
            auto const found = after.find(key, restarted);
            weir::duration const left = expected.second - start - 10s;
            REQUIRE(found.hit() == (left > 0s));
            if (!found.hit()) continue;
            ++good;
            REQUIRE(**found == expected.first);
            REQUIRE(found.left() == left);
        }
        REQUIRE(after.size() == good);
    }
    CHECK(folder.files() == 1);
}

TEST_CASE("store_snapshot: whichever byte is damaged, whatever is missing, it is an error and nothing is restored")
{
    scratch_folder const folder;
    std::string const path = folder.file("store");
    weir::store<std::string, int> numbers{{.capacity = 10, .ttl = 60s}};
    for (int i = 0; i < 5; ++i) numbers.put("key " + std::to_string(i), i, start);
    weir::save_store(numbers, path, start, noon);
    std::string const good = bytes_of(path);
    std::string const other = folder.file("other");
    weir::store<std::string, int> into{{.capacity = 10, .ttl = 60s}};
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        write_bytes(other, bad);
        REQUIRE(refused(into, other).starts_with(other + ": "));
        write_bytes(other, good.substr(0, at));
        REQUIRE(refused(into, other).starts_with(other + ": "));
    }
    CHECK(into.size() == 0);
    CHECK(refused(into, path).empty());
    CHECK(into.size() == 5);
}

TEST_CASE("store_snapshot: an entry that its codec refuses is found before anything is restored")
{
    scratch_folder const folder;
    std::string const path = folder.file("store");
    weir::store<int, pair_of_words> words{{.capacity = 10'000, .ttl = 60s}};
    for (int i = 0; i < 2'000; ++i) words.put(i, {std::to_string(i), "x"}, start);
    words.put(1'999, {"13", "13"}, start);
    weir::save_store(words, path, start, noon);
    words.clear();
    CHECK(refused(words, path) == path + ": has a value that its codec refuses");
    CHECK(words.size() == 0);
}

TEST_CASE("store_snapshot: foreign files are told by what is wrong with them")
{
    scratch_folder const folder;
    std::string const path = folder.file("store");
    weir::store<std::string, int> numbers{{.capacity = 10}};
    CHECK(refused(numbers, path) == path + ": cannot be opened: No such file or directory");
    weir::save_store(weir::store<std::string, std::string>({.capacity = 10}), path, start, noon);
    CHECK(refused(numbers, path) == path + ": has values of another kind");
    weir::save_store(weir::store<int, int>({.capacity = 10}), path, start, noon);
    CHECK(refused(numbers, path) == path + ": has keys of another kind");
    write_bytes(path, "weirblm\n and so on, and so on");
    CHECK(refused(numbers, path) == path + ": is not a snapshot of a store");
    CHECK_THROWS_WITH_AS(weir::save_store(numbers, folder.file("nowhere/store"), start, noon), doctest::Contains("cannot be made"),
                         weir::file_error);
}

TEST_CASE("store_snapshot: saved while others write, it has what was there all the while")
{
    scratch_folder const folder;
    weir::store<int, int> numbers{{.capacity = 100'000, .ttl = 1h}};
    for (int i = 0; i < 2'000; ++i) numbers.put(i, i, start);
    {
        std::atomic<bool> done{false};
        std::jthread const writer([&] {
            for (int i = 0; !done; ++i) numbers.put(10'000 + i % 3'000, i, start);
        });
        for (int round = 0; round < 5; ++round) weir::save_store(numbers, folder.file("n"), start, noon);
        done = true;
    }
    weir::store<int, int> after{{.capacity = 100'000, .ttl = 1h}};
    weir::load_store(after, folder.file("n"), restarted, noon);
    for (int i = 0; i < 2'000; ++i) REQUIRE(*after.find(i, restarted) == i);
}
