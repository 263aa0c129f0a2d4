// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/bloom_filter.hpp>
#include <weir/cache/counting_bloom_filter.hpp>
#include <weir/cache/detail/checked_file.hpp>
#include <weir/core/detail/hash.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct bloom_file_options {
    /// Whether the seed of the hash lies in the file. Who knows it can make up keys that are false positives: if the file is not as safe as
    /// the program, leave it out, and give it to `load_bloom_filter` again.
    bool with_seed = true;
};

namespace detail {

/// Files stay good from one build to the next: so must the hash of a key.
template<class Key>
constexpr std::uint32_t key_kind() noexcept
{
    if constexpr (string_like<Key>)
        return 1;
    else if constexpr (std::is_integral_v<Key> || std::is_enum_v<Key>)
        return 2;
    else if constexpr (tuple_like<Key>)
        return []<std::size_t... I>(std::index_sequence<I...>)
        {
            std::uint32_t kind = 3;
            ((kind = kind * 31 + key_kind<std::remove_cvref_t<std::tuple_element_t<I, Key>>>()), ...);
            return kind;
        }
    (std::make_index_sequence<std::tuple_size_v<Key>>());
    else
    {
        static_assert(string_like<Key>,
                      "a Bloom filter is saved for keys whose hash weir knows itself: strings, integers, enumerations, and "
                      "pairs, tuples and arrays of them; a std::hash may be another one in the next build");
        return 0;
    }
}

template<class Filter>
constexpr std::uint32_t bloom_kind = 0;
template<class Key, class Threading>
constexpr std::uint32_t bloom_kind<bloom_filter<Key, Threading>> = 1;
template<class Key, class Threading>
constexpr std::uint32_t bloom_kind<counting_bloom_filter<Key, Threading>> = 2;

/// A filter as it lies in a file.
struct bloom_image {
    static constexpr file_kind kind{{'w', 'e', 'i', 'r', 'b', 'l', 'm', '\n'}, 1, "a saved Bloom filter"};
    struct head {
        std::uint32_t filter;
        std::uint32_t key;
        std::uint32_t lines_a_key;
        std::uint32_t has_seed;
        std::uint64_t seed;
        std::uint64_t seed_check;
        std::uint64_t population;
        double rate;
        std::uint64_t lines;
    };

    template<class Key, class Threading>
    static void save(bloom_lines<Key, Threading> const& filter, std::uint32_t which, std::string const& path, bloom_file_options const& o)
    {
        file_writer out(path, kind);
        out.put(head{which, key_kind<Key>(), filter.lines_a_key_, o.with_seed, o.with_seed ? filter.seed_ : 0, check(filter.seed_),
                     filter.population_, filter.rate_, filter.lines_.size()});
        for (auto const& line : filter.lines_)
            for (auto const& word : line.words) out.put(word.load());
        out.commit();
    }

    template<class Filter>
    static Filter load(std::string const& path, std::optional<std::uint64_t> const& seed)
    {
        using key_type = typename Filter::key_type;
        file_reader in(path, kind);
        head const h = in.get<head>();
        if (h.filter != bloom_kind<Filter>)
            in.fail(h.filter == 2 ? "is a counting filter, expected a bloom_filter" : "is no counting filter");
        if (h.key != key_kind<key_type>()) in.fail("has keys of another kind");
        if (h.has_seed == 0 && !seed) in.fail("was saved without its seed, and none is given");
        std::uint64_t const used = seed.value_or(h.seed);
        if (check(used) != h.seed_check) in.fail("has another seed than the one that is given, or was made with another hash");
        if (h.lines_a_key < 1 || h.lines_a_key > 2 || h.lines < 1 || h.lines != in.left() / 64 || in.left() % 64 != 0)
            in.fail("is damaged: its size is not that of its lines");

        Filter made({.population = 1, .seed = used});
        bloom_lines<key_type, typename Filter::threading>& filter = made;
        filter.lines_a_key_ = h.lines_a_key;
        filter.population_ = h.population;
        filter.rate_ = h.rate;
        filter.lines_ = std::remove_cvref_t<decltype(filter.lines_)>(h.lines);
        for (auto& line : filter.lines_)
            for (auto& word : line.words) word.store(in.get<std::uint64_t>());
        return made;
    }

private:
    /// Tells the seed, and a hash that is not that of this version, without giving the seed away.
    static std::uint64_t check(std::uint64_t seed) { return seeded_hash(seed)("the hash of weir's Bloom filters"); }
};

} // namespace detail

/// Saves a `bloom_filter` or `counting_bloom_filter`: beside the old file, which it replaces when it is whole and on the disk. Others may
/// add keys meanwhile; such a key is in the file or not. Of a guard:
/// `guard.with_filter([&](auto const& filter) { save_bloom_filter(filter, path); })`. Throws `file_error` that names the file and what is
/// wrong; then the old file is as it was.
///
/// The file has a magic number, a version, the parameters, the words in the machine's own byte order, and a sum of all that.
template<class Filter>
void save_bloom_filter(Filter const& filter, std::string const& path, bloom_file_options const& o = {})
{
    static_assert(detail::bloom_kind<Filter> != 0, "save_bloom_filter wants a bloom_filter or a counting_bloom_filter");
    detail::bloom_image::save(filter, detail::bloom_kind<Filter>, path, o);
}

/// Loads what was saved: `load_bloom_filter<bloom_filter<std::string>>("symbols.bloom")`. The seed has to be given if the file does not
/// have it. Reads the file twice, first to see whether it is whole. Throws `file_error` that names the file and what is wrong with it: it
/// is not there, foreign, of another version, byte order, kind of filter or of key, damaged, or another seed's.
template<class Filter>
[[nodiscard]] Filter load_bloom_filter(std::string const& path, std::optional<std::uint64_t> seed = {})
{
    static_assert(detail::bloom_kind<Filter> != 0, "load_bloom_filter wants a bloom_filter or a counting_bloom_filter");
    return detail::bloom_image::load<Filter>(path, seed);
}

} // namespace weir::inline v0
