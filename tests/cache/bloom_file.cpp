// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/bloom_file.hpp>

#include <weir/cache/bloom_guard.hpp>

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

using weir_test::bytes_of;
using weir_test::scratch_folder;
using weir_test::write_bytes;

namespace {

using strings = weir::bloom_filter<std::string>;

template<class Filter>
std::string refused(std::string const& path)
{
    try {
        static_cast<void>(weir::load_bloom_filter<Filter>(path));
    } catch (weir::file_error const& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE_TEMPLATE("bloom_file: what was saved is loaded, to the bit", Filter, weir::bloom_filter<std::uint64_t>,
                   weir::bloom_filter<std::uint64_t, weir::confined>, weir::counting_bloom_filter<std::uint64_t>)
{
    scratch_folder const folder;
    for (double const rate : {0.01, 1e-5}) {
        Filter filter{{.population = 5'000, .false_positive_rate = rate}};
        for (std::uint64_t key = 0; key < 5'000; ++key) filter.add(key);
        weir::save_bloom_filter(filter, folder.file("keys"));
        auto loaded = weir::load_bloom_filter<Filter>(folder.file("keys"));
        CHECK(loaded.size_in_bytes() == filter.size_in_bytes());
        CHECK(loaded.planned_population() == 5'000);
        CHECK(loaded.planned_rate() == rate);
        bool same = true;
        for (std::uint64_t key = 0; key < 50'000; ++key) same = same && loaded.may_contain(key) == filter.may_contain(key);
        CHECK(same);
        loaded.add(99'999'999);
        CHECK(loaded.may_contain(99'999'999));
    }
    CHECK(folder.files() == 1);
}

TEST_CASE("bloom_file: a guard is saved and begins with what it knew")
{
    scratch_folder const folder;
    std::string const path = folder.file("symbols");
    {
        weir::bloom_guard<std::string> guard{{.population = 100}};
        guard.add("ABC");
        guard.with_filter([&](auto const& filter) { weir::save_bloom_filter(filter, path); });
    }
    weir::bloom_guard guard{weir::load_bloom_filter<strings>(path)};
    CHECK(guard.may_exist("ABC"));
    CHECK(guard.population() == 1);
    CHECK_FALSE(guard.may_exist("XYZ"));
}

TEST_CASE("bloom_file: without its seed in the file it is loaded with that seed only")
{
    scratch_folder const folder;
    std::string const path = folder.file("symbols");
    strings filter{{.population = 100, .seed = 0x0123456789abcdefu}};
    filter.add("ABC");
    weir::save_bloom_filter(filter, path, {.with_seed = false});
    CHECK(bytes_of(path).find("\xef\xcd\xab\x89\x67\x45\x23\x01") == std::string::npos);
    CHECK(weir::load_bloom_filter<strings>(path, 0x0123456789abcdefu).may_contain("ABC"));
    CHECK(refused<strings>(path) == path + ": was saved without its seed, and none is given");
    CHECK_THROWS_WITH_AS(static_cast<void>(weir::load_bloom_filter<strings>(path, 7)), doctest::Contains("another seed"), weir::file_error);
    weir::save_bloom_filter(filter, path);
    CHECK(bytes_of(path).find("\xef\xcd\xab\x89\x67\x45\x23\x01") != std::string::npos);
    CHECK_THROWS_WITH_AS(static_cast<void>(weir::load_bloom_filter<strings>(path, 7)), doctest::Contains("another seed"), weir::file_error);
}

TEST_CASE("bloom_file: whichever byte is damaged, whatever is missing, it is an error that names the file")
{
    scratch_folder const folder;
    std::string const path = folder.file("symbols");
    strings filter{{.population = 50, .seed = 3u}};
    for (int i = 0; i < 50; ++i) filter.add(std::to_string(i));
    weir::save_bloom_filter(filter, path);
    std::string const good = bytes_of(path);
    std::string const other = folder.file("other");
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        write_bytes(other, bad);
        REQUIRE(refused<strings>(other).starts_with(other + ": "));
        write_bytes(other, good.substr(0, at));
        REQUIRE(refused<strings>(other).starts_with(other + ": "));
    }
    write_bytes(other, good + "x");
    CHECK(refused<strings>(other) == other + ": is damaged: its sum is not that of its contents");
    write_bytes(other, good);
    CHECK(refused<strings>(other).empty());
}

TEST_CASE("bloom_file: foreign files are told by what is wrong with them")
{
    scratch_folder const folder;
    std::string const path = folder.file("keys");
    CHECK(refused<strings>(path) == path + ": cannot be opened: No such file or directory");
    write_bytes(path, "");
    CHECK(refused<strings>(path) == path + ": is not a saved Bloom filter: it is too short");
    write_bytes(path, "{\"this\": \"is something else\"}");
    CHECK(refused<strings>(path) == path + ": is not a saved Bloom filter");

    strings filter{{.population = 50}};
    weir::save_bloom_filter(filter, path);
    CHECK(refused<weir::bloom_filter<int>>(path) == path + ": has keys of another kind");
    CHECK(refused<weir::bloom_filter<std::pair<std::string, int>>>(path) == path + ": has keys of another kind");
    CHECK(refused<weir::counting_bloom_filter<std::string>>(path) == path + ": is no counting filter");
    weir::save_bloom_filter(weir::counting_bloom_filter<std::string>({.population = 50}), path);
    CHECK(refused<strings>(path) == path + ": is a counting filter, expected a bloom_filter");

    std::string bytes = bytes_of(path);
    bytes[12] = 9;
    write_bytes(path, bytes);
    CHECK(refused<strings>(path) == path + ": has version 9, expected 1");
    std::swap(bytes[8], bytes[11]);
    write_bytes(path, bytes);
    CHECK(refused<strings>(path) == path + ": was made on a machine of another byte order");
}

TEST_CASE("bloom_file: a save that fails leaves the old file, and nothing beside it")
{
    scratch_folder const folder;
    strings const filter{{.population = 50}};
    std::string const nowhere = folder.file("no such folder/keys");
    CHECK_THROWS_WITH_AS(weir::save_bloom_filter(filter, nowhere), doctest::Contains("cannot be made: No such file"), weir::file_error);
    std::string const taken = folder.file("a folder");
    std::filesystem::create_directory(taken);
    CHECK_THROWS_WITH_AS(weir::save_bloom_filter(filter, taken), doctest::Contains("a folder: cannot be replaced"), weir::file_error);
    CHECK(folder.files() == 1);
}
