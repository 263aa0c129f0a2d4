// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/check_rules.hpp>
#include <weir/validate/detail/json_reader.hpp>
#include <weir/validate/detail/json_shape.hpp>
#include <weir/validate/json_options.hpp>
#include <weir/validate/violation.hpp>

#include <boost/json/error.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// One for all types: see `json_shape`.
inline violations read_json(std::string_view text, void* into, json_shape const& shape, json_options const& o)
{
    checked(o);
    if (text.size() > o.bytes) [[unlikely]] {
        violations found;
        found.add({"body", {}, "at most " + std::to_string(o.bytes) + " bytes"});
        return found;
    }
    boost::json::parse_options rules; // the defaults take JSON only: no comments, no trailing commas, no bad UTF-8
    rules.max_depth = o.levels;
    boost::json::basic_parser<json_reader> parser(rules, into, shape, o);
    boost::system::error_code fault;
    std::size_t const end = parser.write_some(false, text.data(), text.size(), fault);
    json_reader& reader = parser.handler();
    if (fault == boost::json::error::too_deep)
        reader.wrong_at({}, "at most " + std::to_string(o.levels) + " arrays and objects inside each other");
    else if (fault == boost::json::error::incomplete)
        reader.wrong_at({}, text.empty() ? "a JSON document" : "a JSON document that is complete");
    else if (fault && fault.category() != weir_category())
        reader.wrong_at({}, "a JSON document in UTF-8 (RFC 8259), without its fault at byte " + std::to_string(end));
    else if (!fault && end != text.size())
        reader.wrong_at({}, "one JSON document, and nothing after byte " + std::to_string(end));
    return std::move(reader.found());
}

} // namespace detail

/// Reads a JSON document (RFC 8259) straight into a value, strictly, and tells all faults at once by their JSON pointers (RFC 6901):
/// ```cpp
/// struct order { std::string symbol; std::uint32_t quantity; std::optional<double> limit; };
/// BOOST_DESCRIBE_STRUCT(order, (), (symbol, quantity, limit))
///
/// order o;
/// weir::violations wrong = weir::read_json(text, o); // empty; or: body /quantity: expected a whole number from 0 to 4294967295; ...
/// ```
/// | C++                                       | JSON                                                                              |
/// |-------------------------------------------|-----------------------------------------------------------------------------------|
/// | `bool`                                    | `true`, `false`                                                                   |
/// | an integer, no character type             | a number in its range without fraction or exponent: `1.0` and `1e2` are refused    |
/// | `float`, `double`                         | a number, to the nearest value; `1e400` is refused, `1e-400` is zero               |
/// | `std::string`                             | a string                                                                          |
/// | a described enumeration                   | the name of an enumerator                                                         |
/// | `std::optional<T>`                        | T, or `null`; as a member it may be left out                                      |
/// | `std::vector<T>`                          | an array                                                                          |
/// | `std::array<T, N>`                        | an array of N elements                                                            |
/// | `std::map<std::string, T>`                | an object                                                                         |
/// | a described struct, at most 64 members, bases included | an object; each member once, in any order, all but the optional ones there, no others |
/// | a duration, a type with a `json_form`     | what its form says                                                                |
///
/// Refused as well: a byte-order mark, invalid UTF-8, half a surrogate pair, anything after the document, and what is beyond the options.
/// Members of the same name are refused wherever they are read; in what `ignore_unknown_members` passes over only the grammar is checked.
///
/// Then the rules of the struct are enforced, and those of the structs in it (see `rules`), on all that could be read.
///
/// What was wrong never says what the text said: a pointer names members of your structs and positions in arrays, and where a
/// `std::map` stands on the way, it ends there. At most `violations::most` are found, then the reading ends. After a fault `into` is
/// valid, and what is in it means nothing.
///
/// A SAX handler of Boost.JSON's parser, without a document in between; a program that uses it compiles `<boost/json/src.hpp>` in one file or links
/// Boost.JSON. Allocates what the value needs, and a scratch for long strings with escapes. Memory: at most `options.values` elements of the
/// largest type in `T`. Calls itself at most `options.levels` deep. Options out of range throw `std::invalid_argument`. Thread-safe.
template<class T>
[[nodiscard]] violations read_json(std::string_view text, T& into, json_options const& options = {})
{
    violations found = detail::read_json(text, &into, detail::json_shape_of<T>, options);
    detail::check_rules(into, found);
    return found;
}

/// The same as a result: `auto const o = weir::read_json<order>(text); if (!o) return to_string(o.error());`
template<class T>
[[nodiscard]] boost::system::result<T, violations> read_json(std::string_view text, json_options const& options = {})
{
    if constexpr (!std::is_default_constructible_v<T>)
        static_cast<void>(sizeof(typename advice::json<T>::is_read_into_a_default_constructed_value__give_it_a_default_constructor));
    T value{};
    if (violations wrong = read_json(text, value, options); !wrong.empty()) return wrong;
    return value;
}

} // namespace weir::inline v0
