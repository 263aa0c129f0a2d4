// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace gateway {

namespace json = boost::json;

/// What is wrong with a configuration, each with the path of its member.
using complaints = std::vector<std::string>;

/// One object of a configuration. Its members are read by name, each with what is expected of it; what is missing, of another type or
/// out of range is complained of, and so is, when the section ends, a member that nobody read.
class section {
public:
    /// The whole configuration.
    section(json::value const& whole, complaints& to) : section(&whole, {}, to) {}
    ~section()
    {
        if (members_ == nullptr) return;
        for (auto const& member : *members_)
            if (!known(member.key())) to_.push_back(path_to(member.key()) + ": there is no such setting");
    }
    section(section const&) = delete;
    section& operator=(section const&) = delete;

    /// An object within this one.
    [[nodiscard]] section at(std::string_view name) { return {find(name), path_to(name), to_, members_ != nullptr}; }

    template<class Number = std::uint64_t>
    [[nodiscard]] Number whole(std::string_view name, std::type_identity_t<Number> least,
                               std::type_identity_t<Number> most = std::numeric_limits<Number>::max())
    {
        json::value const* const found = find(name);
        if (found != nullptr && (found->is_int64() || found->is_uint64())) {
            boost::system::error_code out_of_range;
            auto const number = found->to_number<Number>(out_of_range);
            if (!out_of_range && number >= least && number <= most) return number;
        }
        std::string expected = "a whole number of at least " + std::to_string(least);
        if (most != std::numeric_limits<Number>::max())
            expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
        complain(path_to(name), expected, found);
        return least;
    }
    /// Options as a policy takes them: what its constructor refuses is complained of, too.
    template<class Policy, class Options>
    [[nodiscard]] Options accepted_by(Options options)
    {
        if (members_ == nullptr || to_.size() != complaints_before_) return options; // what stands in for it is nobody's fault
        try {
            static_cast<void>(Policy(options));
        } catch (std::invalid_argument const& refused) {
            to_.push_back(path_ + ": " + refused.what());
        }
        return options;
    }
    /// A number in [0, 1].
    [[nodiscard]] double ratio(std::string_view name)
    {
        json::value const* const found = find(name);
        if (found != nullptr && found->is_number()) {
            auto const number = found->to_number<double>();
            if (number >= 0 && number <= 1) return number;
        }
        complain(path_to(name), "a number from 0 to 1", found);
        return 0;
    }
    /// A span of time with its unit, more than zero: `"200ms"`.
    [[nodiscard]] weir::duration time(std::string_view name)
    {
        json::value const* const found = find(name);
        if (found != nullptr && found->is_string())
            if (auto const span = parse_time(found->get_string())) return *span;
        complain(path_to(name), R"(a time such as "200ms", "10s" or "5min")", found);
        return std::chrono::seconds(1);
    }
    [[nodiscard]] std::string text(std::string_view name)
    {
        json::value const* const found = find(name);
        if (found != nullptr && found->is_string() && !found->get_string().empty()) return std::string(found->get_string());
        complain(path_to(name), "a text that is not empty", found);
        return "?";
    }
    /// A text of so many bytes at least, which is not shown.
    [[nodiscard]] std::string hidden_text(std::string_view name, std::size_t bytes)
    {
        json::value const* const found = find(name);
        if (found != nullptr && found->is_string() && found->get_string().size() >= bytes) return std::string(found->get_string());
        bool const is_text = found != nullptr && found->is_string();
        std::string const expected = "a text of at least " + std::to_string(bytes) + " bytes";
        if (is_text)
            to_.push_back(path_to(name) + ": expected " + expected + ", found " + std::to_string(found->get_string().size()));
        else
            complain(path_to(name), expected, found);
        return std::string(bytes, '?');
    }
    /// Whether the member is there; nothing is wrong if it is not.
    [[nodiscard]] bool has(std::string_view name) const { return members_ != nullptr && members_->contains(name); }
    /// One of these texts; the first of them stands in for what is none.
    [[nodiscard]] std::string one_of(std::string_view name, std::span<std::string_view const> all)
    {
        json::value const* const found = find(name);
        if (found != nullptr && found->is_string())
            for (std::string_view const each : all)
                if (found->get_string() == each) return std::string(each);
        std::string expected = "one of";
        for (std::string_view const each : all) ((expected += ' ') += each) += each == all.back() ? "" : ",";
        complain(path_to(name), expected, found);
        return std::string(all.front());
    }
    /// The text of a file, which `use` may refuse by `std::invalid_argument`. A name that does not begin with a slash is looked for in `folder`.
    /// Of what stands in the file nothing is shown.
    template<class Use>
    void file(std::string_view name, std::filesystem::path const& folder, Use use)
    {
        constexpr std::streamsize most = 1 << 20;
        json::value const* const found = find(name);
        if (found == nullptr || !found->is_string() || found->get_string().empty())
            return complain(path_to(name), "the name of a file", found);
        std::string const given(found->get_string());
        auto const wrong = [&](std::string_view why) { to_.push_back(path_to(name) + ": " + given + ": " + std::string(why)); };
        std::error_code ignored;
        if (std::filesystem::is_directory(folder / given, ignored)) return wrong("cannot be read: it is a folder");
        std::ifstream in(folder / given, std::ios::binary);
        if (!in) return wrong(std::string("cannot be read: ") + std::strerror(errno));
        std::string text(static_cast<std::size_t>(most + 1), '\0');
        in.read(text.data(), most + 1);
        text.resize(static_cast<std::size_t>(in.gcount()));
        if (in.bad()) return wrong("cannot be read");
        if (text.empty()) return wrong("it is empty");
        if (in.gcount() > most) return wrong("it has more than 1 MiB");
        try {
            use(std::move(text));
        } catch (std::invalid_argument const& refused) {
            wrong(refused.what());
        }
    }
    /// The address of a network interface, to listen at.
    [[nodiscard]] std::string address(std::string_view name)
    {
        json::value const* const found = find(name);
        if (found != nullptr && found->is_string()) {
            boost::system::error_code wrong;
            std::string const text(found->get_string());
            boost::asio::ip::make_address(text, wrong);
            if (!wrong) return text;
        }
        complain(path_to(name), R"(an address such as "127.0.0.1")", found);
        return "127.0.0.1";
    }
    /// A list whose entries are objects, each read by `read(section&)`.
    template<class Read>
    [[nodiscard]] auto list(std::string_view name, Read read)
    {
        std::vector<decltype(read(*this))> entries;
        each(name, "a list of objects", [&](json::value const& entry, std::string const& path) {
            section one(&entry, path, to_);
            entries.push_back(read(one));
        });
        return entries;
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view name)
    {
        std::vector<std::string> entries;
        each(name, "a list of texts", [&](json::value const& entry, std::string const& path) {
            if (entry.is_string())
                entries.emplace_back(entry.get_string());
            else
                complain(path, "a text", &entry);
        });
        return entries;
    }

private:
    /// What is within a part that was complained of already is not complained of again.
    section(json::value const* where, std::string path, complaints& to, bool outer_is_good = true)
        : members_(where != nullptr ? where->if_object() : nullptr), path_(std::move(path)), to_(to)
    {
        if (members_ == nullptr && outer_is_good)
            to_.push_back((path_.empty() ? "/" : path_) + ": expected an object, found " + shown(where));
    }
    static std::optional<weir::duration> parse_time(std::string_view text)
    {
        struct unit {
            std::string_view name;
            std::int64_t ns;
        };
        std::int64_t count = 0;
        auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (failed != std::errc() || count <= 0) return std::nullopt;
        std::string_view const name(end, static_cast<std::size_t>(text.data() + text.size() - end));
        for (unit const u : {unit{"us", 1'000}, unit{"ms", 1'000'000}, unit{"s", 1'000'000'000}, unit{"min", 60'000'000'000},
                             unit{"h", 3'600'000'000'000}})
            if (name == u.name && count <= std::numeric_limits<std::int64_t>::max() / u.ns) return weir::duration(count * u.ns);
        return std::nullopt;
    }
    static std::string shown(json::value const* value)
    {
        constexpr std::size_t most = 40;
        if (value == nullptr) return "nothing";
        if (value->is_object()) return "an object";
        if (value->is_array()) return "a list";
        if (value->is_double()) {
            char digits[32]; // the shortest that read back as the same number; serialize() writes 2.5E0
            return {digits, std::to_chars(digits, digits + sizeof digits, value->get_double()).ptr};
        }
        std::string text = json::serialize(*value);
        if (text.size() > most) text = text.substr(0, most) + "...";
        return text;
    }

    [[nodiscard]] bool known(std::string_view name) const
    {
        for (std::string_view const each : asked_)
            if (each == name) return true;
        return false;
    }
    [[nodiscard]] json::value const* find(std::string_view name)
    {
        asked_.push_back(name);
        return members_ == nullptr ? nullptr : members_->if_contains(name);
    }
    template<class Visit>
    void each(std::string_view name, std::string_view expected, Visit visit)
    {
        json::value const* const found = find(name);
        if (found == nullptr || !found->is_array()) return complain(path_to(name), expected, found);
        std::size_t index = 0;
        for (json::value const& entry : found->get_array()) visit(entry, path_to(name) + '/' + std::to_string(index++));
    }
    [[nodiscard]] std::string path_to(std::string_view name) const { return path_ + '/' + std::string(name); }
    void complain(std::string const& path, std::string_view expected, json::value const* found)
    {
        if (members_ != nullptr) to_.push_back(path + ": expected " + std::string(expected) + ", found " + shown(found));
    }

    json::object const* members_;
    std::string path_;
    complaints& to_;
    std::size_t complaints_before_ = to_.size();
    std::vector<std::string_view> asked_;
};

} // namespace gateway
