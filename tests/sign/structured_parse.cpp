// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/structured_parse.hpp>

#include "vectors.hpp"

#include <weir/sign/structured_write.hpp>

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace json = boost::json;
namespace sf = weir::sf;

namespace {

std::string base32(std::string_view bytes)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string out;
    unsigned group = 0, bits = 0;
    for (char const c : bytes) {
        group = (group << 8 | static_cast<unsigned char>(c)) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5) out += digits[group >> (bits - 5) & 31];
    }
    if (bits != 0) out += digits[group << (5 - bits) & 31];
    while (out.size() % 8 != 0) out += '=';
    return out;
}

// The vectors' own form of a value, so that they can be compared as they are.
struct as_json {
    static json::value typed(char const* type, json::value value) { return json::object{{"__type", type}, {"value", std::move(value)}}; }
    json::value operator()(sf::bare_item const& b) const
    {
        switch (b.what()) {
        case sf::kind::decimal: return static_cast<double>(b.number()) / 1000;
        case sf::kind::string: return json::string(b.text());
        case sf::kind::token: return typed("token", json::string(b.text()));
        case sf::kind::bytes: return typed("binary", json::string(base32(b.text())));
        case sf::kind::boolean: return b.is_true();
        case sf::kind::date: return typed("date", b.number());
        case sf::kind::display_string: return typed("displaystring", json::string(b.text()));
        default: return b.number();
        }
    }
    json::value operator()(sf::member const& m) const { return m.as_item() != nullptr ? (*this)(*m.as_item()) : (*this)(*m.as_list()); }
    json::value operator()(sf::parameters const& params) const
    {
        json::array out;
        for (auto const& [key, value] : params) out.push_back(json::array{json::string(key), (*this)(value)});
        return out;
    }
    json::value operator()(sf::item const& i) const { return json::array{(*this)(i.value), (*this)(i.params)}; }
    json::value operator()(sf::inner_list const& l) const
    {
        json::array items;
        for (auto const& i : l.items) items.push_back((*this)(i));
        return json::array{items, (*this)(l.params)};
    }
    json::value operator()(sf::list const& l) const
    {
        json::array out;
        for (auto const& m : l) out.push_back((*this)(m));
        return out;
    }
    json::value operator()(sf::dictionary const& d) const
    {
        json::array out;
        for (auto const& [key, m] : d) out.push_back(json::array{json::string(key), (*this)(m)});
        return out;
    }
};

bool same(json::value const& a, json::value const& b)
{
    if (a.is_number() && b.is_number()) return std::abs(a.to_number<double>() - b.to_number<double>()) < 1e-9;
    if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), same);
    return a == b;
}

template<class T>
std::string judge(json::object const& c, sf::parsed<T> const& parsed)
{
    auto const flag = [&](char const* name) { return c.contains(name) && c.at(name).as_bool(); };
    if (flag("must_fail")) return parsed.has_value() ? "it has to be refused" : "";
    if (!parsed) return flag("can_fail") ? "" : to_string(parsed.error());
    if (!same(as_json{}(*parsed), c.at("expected"))) return "another value";
    std::string canonical;
    for (auto const& line : (c.contains("canonical") ? c.at("canonical") : c.at("raw")).as_array()) {
        if (!canonical.empty()) canonical += ", ";
        canonical += line.as_string();
    }
    auto const written = sf::write(*parsed);
    if (!written || *written != canonical) return "written as " + written.value_or("nothing") + ", not as " + canonical;
    return "";
}

std::string refused_at(std::string_view text)
{
    auto const parsed = sf::parse_dictionary(text);
    return parsed ? "read" : to_string(parsed.error());
}

} // namespace

TEST_CASE("structured fields: the vectors of RFC 9651")
{
    auto const folder = weir_tests::vectors("structured-fields");
    if (folder.empty()) return;
    unsigned cases = 0;
    for (auto const& file : std::filesystem::directory_iterator(folder)) {
        json::value const all = json::parse(weir_tests::contents(file.path()));
        for (json::value const& v : all.as_array()) {
            json::object const& c = v.as_object();
            std::string raw;
            bool first = true;
            for (auto const& line : c.at("raw").as_array()) {
                if (!first) raw += ", ";
                first = false;
                raw += line.as_string();
            }
            std::string_view const type = c.at("header_type").as_string();
            std::string const wrong = type == "item"   ? judge(c, sf::parse_item(raw))
                                      : type == "list" ? judge(c, sf::parse_list(raw))
                                                       : judge(c, sf::parse_dictionary(raw));
            CHECK_MESSAGE(wrong.empty(), file.path().filename().string(), ": ", std::string(c.at("name").as_string()), ": ", wrong);
            ++cases;
        }
    }
    MESSAGE(cases, " cases");
    CHECK(cases > 200);
}

TEST_CASE("structured fields: each type is read, and written as it was")
{
    for (char const* const text :
         {"1", "-42", "0", "999999999999999", "1.5", "-0.25", "0.001", "999999999999.999", "\"a \\\"b\\\" \\\\\"", "tok/en:*", "*x",
          ":aGVsbG8=:", "::", "?0", "?1", "@1700000000", "@-1", "%\"f%c3%bc%c3%bc\"", "a;b;c=1;d=\"x\""}) {
        auto const parsed = sf::parse_item(text);
        REQUIRE_MESSAGE(parsed.has_value(), text);
        CHECK(sf::write(*parsed) == text);
    }
    auto const list = sf::parse_list("  a ,\t(b c;x);y , \"d\" ");
    REQUIRE(list.has_value());
    CHECK(sf::write(*list) == "a, (b c;x);y, \"d\"");
    auto const dictionary = sf::parse_dictionary("a=1, b;x=2, c=(), a=3");
    REQUIRE(dictionary.has_value());
    CHECK(sf::write(*dictionary) == "a=3, b;x=2, c=()");
}

TEST_CASE("structured fields: what is wrong is told with its place")
{
    CHECK(refused_at("a=1,") == "character 4: expected a member after the comma");
    CHECK(refused_at("a=1 b=2") == "character 4: expected a comma");
    CHECK(refused_at("A=1") == "character 0: expected a key");
    CHECK(refused_at("a=") == "character 2: expected an item");
    CHECK(refused_at("a=\"x") == "character 4: expected a closing quotation mark");
    CHECK(refused_at("a=:aGVsbG8:") == "character 3: expected base64 with its padding");
    CHECK(refused_at("a=1234567890123456") == "character 17: expected at most 15 digits");
    CHECK(refused_at("a=(1\t2)") == "character 4: expected a space or a closing parenthesis");
    CHECK(refused_at("a=@1.5") == "character 3: expected a whole number of seconds");
    CHECK(refused_at("a=%\"%FF\"") == "character 4: expected two lower-case hexadecimal digits after the per cent sign");
    CHECK(refused_at("a=%\"%ff\"") == "character 2: expected UTF-8 in a display string");
    CHECK(sf::parse_item("1 2").has_error());
    CHECK(sf::parse_item("").has_error());
    CHECK(sf::parse_item(std::string_view("\"a\0b\"", 5)).has_error());
    CHECK(sf::parse_item(std::string_view("a\0", 2)).has_error());
}

TEST_CASE("structured fields: what is too much is refused")
{
    sf::parse_options const little{.max_bytes = 40, .max_members = 2, .max_parameters = 1};
    CHECK(sf::parse_list("a, b", little).has_value());
    CHECK(sf::parse_list("a, b, c", little).has_error());
    CHECK(sf::parse_list("(a b c)", little).has_error());
    CHECK(sf::parse_dictionary("a, b, c", little).has_error());
    CHECK(sf::parse_dictionary("a, a", little).has_value());
    CHECK(sf::parse_dictionary("a, a, a", little).has_error()); // each counts as it stands
    CHECK(sf::parse_item("a;b", little).has_value());
    CHECK(sf::parse_item("a;b;c", little).has_error());
    CHECK(sf::parse_item(std::string(41, 'a'), little).has_error());
}

TEST_CASE("structured fields: a key that stands twice is refused where it is asked for")
{
    sf::parse_options const strict{.refuse_duplicate_keys = true};
    CHECK(sf::parse_dictionary("a=1, a=2").has_value());
    CHECK(sf::parse_dictionary("a=1, a=2", strict).has_error());
    CHECK(sf::parse_dictionary("a=1;x;x=2", strict).has_error());
    CHECK(sf::parse_dictionary("a=1;x, b=2;x", strict).has_value());
}

TEST_CASE("structured fields: a fault is a sentence with its place")
{
    CHECK(to_string(sf::fault{7, "a key"}) == "character 7: expected a key");
    CHECK_THROWS_AS(throw_exception_from_error(sf::fault{7, "a key"}, BOOST_CURRENT_LOCATION), std::invalid_argument);
}
