// SPDX-License-Identifier: BSL-1.0
// A typed service behind `json_body`, with a body of 1 KiB, beside the same written by hand: a handler of Boost.JSON's parser for this one
// struct, as strict, then the call, then the response. And the reader alone beside the hand-written one, and beside Boost.JSON's
// document with `value_to`, which is not strict.
// usage: json_body {composed|by_hand|read|read_by_hand|document} CALLS
#include <weir/core/pipeline.hpp>
#include <weir/http/json_body.hpp>
#include <weir/http/message.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http = weir::http;
namespace json = boost::json;

namespace {

enum class side { buy, sell };
BOOST_DESCRIBE_ENUM(side, buy, sell)
struct leg {
    std::string venue{};
    std::uint32_t share{};
    double price{};
    bool hidden{};
};
BOOST_DESCRIBE_STRUCT(leg, (), (venue, share, price, hidden))
struct order {
    std::string symbol{};
    std::string account{};
    std::int64_t quantity{};
    ::side side{};
    double limit{};
    std::vector<leg> legs{};
};
BOOST_DESCRIBE_STRUCT(order, (), (symbol, account, quantity, side, limit, legs))
struct quote {
    std::string symbol{};
    double price{};
    std::uint32_t shares{};
};
BOOST_DESCRIBE_STRUCT(quote, (), (symbol, price, shares))

/// The work. The compiler does not see through it.
[[gnu::noinline]] weir::result<quote> price(order const& o)
{
    asm volatile("" ::: "memory");
    if (o.quantity == 0) return weir::errc::not_found;
    quote q{o.symbol, o.limit, 0};
    for (leg const& l : o.legs) q.shares += l.share;
    return q;
}

/// What a programmer writes who knows the parser: where in the text it is, a flag for each member that was seen, the first fault ends it.
class order_handler {
public:
    using code = boost::system::error_code;
    using text = json::string_view;
    static constexpr std::size_t max_array_size = std::size_t(-1), max_object_size = std::size_t(-1), max_string_size = std::size_t(-1),
                                 max_key_size = std::size_t(-1);
    explicit order_handler(order& into) : into_(into) {}
    [[nodiscard]] std::string const& fault() const { return fault_; }

    bool on_document_begin(code&) const { return true; }
    bool on_document_end(code&) const { return true; }
    bool on_object_begin(code& c)
    {
        if (++values_ > most_values) return wrong("at most 10000 values", c);
        if (at_ == place::root) {
            at_ = place::order;
            seen_ = 0;
        } else if (at_ == place::legs) {
            into_.legs.emplace_back();
            at_ = place::leg;
            leg_seen_ = 0;
        } else
            return wrong("another type", c);
        return true;
    }
    bool on_object_end(std::size_t, code& c)
    {
        if (at_ == place::leg) {
            if (leg_seen_ != 15) return wrong("a member is missing", c);
            at_ = place::legs;
        } else if (seen_ != 63)
            return wrong("a member is missing", c);
        return true;
    }
    bool on_array_begin(code& c)
    {
        if (++values_ > most_values) return wrong("at most 10000 values", c);
        if (at_ != place::order || member_ != 5) return wrong("another type", c);
        at_ = place::legs;
        return true;
    }
    bool on_array_end(std::size_t, code&)
    {
        at_ = place::order;
        return true;
    }
    bool on_key_part(text part, std::size_t, code&) { return parts_.append(part.data(), part.size()), true; }
    bool on_key(text last, std::size_t, code& c)
    {
        std::string_view name(last.data(), last.size());
        if (!parts_.empty()) name = parts_.append(last.data(), last.size());
        unsigned& seen = at_ == place::order ? seen_ : leg_seen_;
        if (at_ == place::order) {
            if (name == "symbol")
                member_ = 0;
            else if (name == "account")
                member_ = 1;
            else if (name == "quantity")
                member_ = 2;
            else if (name == "side")
                member_ = 3;
            else if (name == "limit")
                member_ = 4;
            else if (name == "legs")
                member_ = 5;
            else
                return wrong("an unknown member", c);
        } else {
            if (name == "venue")
                member_ = 0;
            else if (name == "share")
                member_ = 1;
            else if (name == "price")
                member_ = 2;
            else if (name == "hidden")
                member_ = 3;
            else
                return wrong("an unknown member", c);
        }
        if ((seen & (1u << member_)) != 0) return wrong("a member twice", c);
        seen |= 1u << member_;
        parts_.clear();
        return true;
    }
    bool on_string_part(text part, std::size_t, code&) { return parts_.append(part.data(), part.size()), true; }
    bool on_string(text last, std::size_t, code& c)
    {
        if (++values_ > most_values) return wrong("at most 10000 values", c);
        std::string_view value(last.data(), last.size());
        if (!parts_.empty()) value = parts_.append(last.data(), last.size());
        if (at_ == place::order && member_ == 0)
            into_.symbol = value;
        else if (at_ == place::order && member_ == 1)
            into_.account = value;
        else if (at_ == place::order && member_ == 3 && value == "buy")
            into_.side = side::buy;
        else if (at_ == place::order && member_ == 3 && value == "sell")
            into_.side = side::sell;
        else if (at_ == place::leg && member_ == 0)
            into_.legs.back().venue = value;
        else
            return wrong("another type", c);
        parts_.clear();
        return true;
    }
    bool on_number_part(text, code&) const { return true; }
    bool on_int64(std::int64_t number, text digits, code& c)
    {
        if (++values_ > most_values) return wrong("at most 10000 values", c);
        if (at_ == place::order && member_ == 2)
            into_.quantity = number;
        else if (at_ == place::leg && member_ == 1 && number >= 0 && number <= std::numeric_limits<std::uint32_t>::max())
            into_.legs.back().share = static_cast<std::uint32_t>(number);
        else if (double* const real = real_member(); real != nullptr)
            *real = number == 0 && digits.front() == '-' ? -0.0 : static_cast<double>(number);
        else
            return wrong("another number", c);
        return true;
    }
    bool on_uint64(std::uint64_t number, text, code& c)
    {
        if (++values_ > most_values) return wrong("at most 10000 values", c);
        double* const real = real_member();
        if (real == nullptr) return wrong("another number", c);
        *real = static_cast<double>(number);
        return true;
    }
    bool on_double(double near, text digits, code& c)
    {
        if (++values_ > most_values) return wrong("at most 10000 values", c);
        double* const real = real_member();
        if (real == nullptr) return wrong("another number", c);
        if (std::from_chars(digits.data(), digits.data() + digits.size(), *real).ec != std::errc{}) {
            if (!(std::abs(near) < 1)) return wrong("another number", c);
            *real = digits.front() == '-' ? -0.0 : 0.0;
        }
        return true;
    }
    bool on_bool(bool value, code& c)
    {
        if (++values_ > most_values) return wrong("at most 10000 values", c);
        if (at_ != place::leg || member_ != 3) return wrong("another type", c);
        into_.legs.back().hidden = value;
        return true;
    }
    bool on_null(code& c) { return wrong("another type", c); }
    bool on_comment_part(text, code&) const { return false; }
    bool on_comment(text, code&) const { return false; }

private:
    enum class place { root, order, legs, leg };
    static constexpr std::size_t most_values = 10'000;
    double* real_member()
    {
        if (at_ == place::order && member_ == 4) return &into_.limit;
        return at_ == place::leg && member_ == 2 ? &into_.legs.back().price : nullptr;
    }
    [[gnu::noinline, gnu::cold]] bool wrong(char const* what, code& c)
    {
        fault_ = what;
        c = weir::errc::invalid_request;
        return false;
    }

    order& into_;
    place at_ = place::root;
    unsigned member_ = 0, seen_ = 0, leg_seen_ = 0;
    std::size_t values_ = 0;
    std::string parts_, fault_;
};

bool read_by_hand(std::string_view text, order& into, std::string& fault)
{
    if (text.size() > 1'048'576) return false;
    json::parse_options rules;
    rules.max_depth = 32;
    json::basic_parser<order_handler> parser(rules, into);
    boost::system::error_code failed;
    std::size_t const end = parser.write_some(false, text.data(), text.size(), failed);
    if (failed || end != text.size()) fault = parser.handler().fault().empty() ? "not JSON" : parser.handler().fault();
    return !failed && end == text.size();
}

weir::result<http::response> by_hand(http::request const& r)
{
    auto const type = weir::header(r, "content-type");
    if (!type || !weir::detail::is_json_type(*type) || weir::header(r, "content-encoding")) return weir::errc::unsupported_media_type;
    order o;
    std::string fault;
    if (!read_by_hand(r.body(), o, fault)) return weir::errc::invalid_request;
    weir::result<quote> const q = price(o);
    if (!q) return q.error();
    http::response made(http::status::ok);
    std::string& out = made.body();
    out += "{\"symbol\":";
    weir::detail::append_json_text(out, q->symbol);
    char digits[32];
    out += ",\"price\":";
    if (!std::isfinite(q->price)) return weir::errc::handler_threw;
    out.append(digits, std::to_chars(digits, digits + sizeof digits, q->price).ptr);
    out += ",\"shares\":";
    out.append(digits, std::to_chars(digits, digits + sizeof digits, q->shares).ptr);
    out += '}';
    made.set(http::field::content_type, "application/json");
    return made;
}

std::string body()
{
    std::string text = R"({"symbol":"ACME","account":"DE89 3704 0044 0532 0130 00","quantity":1200,"side":"sell","limit":83.97,"legs":[)";
    for (int i = 0; text.size() < 970; ++i)
        text += (i == 0 ? "" : ",") + std::string(R"({"venue":"XETR-)") + std::to_string(i) + R"(","share":)" + std::to_string(100 + i) +
                R"(,"price":)" + std::to_string(83 + i) + R"(.25,"hidden":)" + (i % 3 == 0 ? "true" : "false") + '}';
    return text += "]}";
}

/// Runs the calls; the exit status says whether they answered.
template<class Call>
int run(Call call, long calls)
{
    bool good = true;
    for (long i = 0; i < calls; ++i) good = call() && good;
    return good ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    std::string_view const way = argc > 1 ? argv[1] : "composed";
    long const calls = argc > 2 ? std::atol(argv[2]) : 10'000;
    http::request request("POST", "/orders", body());
    request.set(http::field::host, "bank.example");
    request.set(http::field::content_type, "application/json");
    std::string const& text = request.body();
    if (argc < 2) std::printf("a body of %zu bytes\n", text.size());

    if (way == "composed") {
        weir::pipeline svc{weir::json_body<order>{}, price};
        return run([&] { return svc(request)->body().size() > 30; }, calls);
    }
    if (way == "by_hand") return run([&] { return by_hand(request)->body().size() > 30; }, calls);
    if (way == "read")
        return run(
            [&] {
                order o;
                return weir::read_json(text, o).empty();
            },
            calls);
    if (way == "read_by_hand")
        return run(
            [&] {
                order o;
                std::string fault;
                return read_by_hand(text, o, fault);
            },
            calls);
    if (way == "document") return run([&] { return json::value_to<order>(json::parse(text)).quantity == 1200; }, calls);
    std::fputs("usage: json_body {composed|by_hand|read|read_by_hand|document} CALLS\n", stderr);
    return 2;
}
