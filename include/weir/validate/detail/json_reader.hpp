// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/validate/detail/json_shape.hpp>
#include <weir/validate/detail/json_store.hpp>
#include <weir/validate/json_options.hpp>
#include <weir/validate/violation.hpp>

#include <boost/json/basic_parser_impl.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

/// The handler of Boost.JSON's parser that fills a value by its shape. It goes on after a fault, and keeps all faults it has room for.
///
/// No value is made for what is not wanted: it is passed over. The frames are as many as the deepest text has levels.
class json_reader {
public:
    using code = boost::system::error_code;
    using text = boost::json::string_view;
    static constexpr std::size_t max_array_size = std::size_t(-1), max_object_size = std::size_t(-1), max_string_size = std::size_t(-1),
                                 max_key_size = std::size_t(-1);

    json_reader(void* into, json_shape const& shape, json_options const& o) noexcept
        : into_(into), want_(&shape), options_(o), left_(o.values)
    {
    }
    [[nodiscard]] violations& found() noexcept { return found_; }

    bool on_document_begin(code&) const noexcept { return true; }
    bool on_document_end(code&) const noexcept { return true; }

    bool on_object_begin(code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        engage();
        if (want_ == nullptr || (want_->kind != json_kind::object && want_->kind != json_kind::map)) [[unlikely]]
            return pass_over(c);
        if (want_->kind == json_kind::map) want_->clear(into_);
        frames_[depth_++] = {into_, want_, 0, npos, false};
        return true;
    }
    bool on_object_end(std::size_t, code& c)
    {
        if (skipped_ != 0) [[unlikely]]
            return --skipped_, true;
        frame const& f = frames_[depth_ - 1];
        if (f.shape->kind == json_kind::object && (f.shape->highest & ~f.seen) != 0) [[unlikely]]
            if (!missing(c)) return false;
        --depth_;
        return true;
    }
    bool on_array_begin(code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        engage();
        if (want_ == nullptr || (want_->kind != json_kind::list && want_->kind != json_kind::array)) [[unlikely]]
            return pass_over(c);
        if (want_->kind == json_kind::list) want_->clear(into_);
        frames_[depth_++] = {into_, want_, 0, npos, false};
        return true;
    }
    bool on_array_end(std::size_t size, code& c)
    {
        if (skipped_ != 0) [[unlikely]]
            return --skipped_, true;
        json_shape const& s = *frames_[--depth_].shape;
        return s.kind != json_kind::array || size == s.highest || wrong(expected_of(s), c);
    }

    bool on_key_part(text part, std::size_t, code&)
    {
        if (skipped_ == 0) parts_.append(part.data(), part.size());
        return true;
    }
    bool on_key(text last, std::size_t, code& c)
    {
        if (skipped_ != 0) [[unlikely]]
            return true;
        std::string_view const name = whole(last);
        frame& f = frames_[depth_ - 1];
        bool const goes_on = f.shape->kind == json_kind::map ? enter(f, name, c) : member(f, name, c);
        parts_.clear();
        return goes_on;
    }
    bool on_string_part(text part, std::size_t, code&)
    {
        if (skipped_ == 0) parts_.append(part.data(), part.size());
        return true;
    }
    bool on_string(text last, std::size_t, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        engage();
        bool const good = want_ == nullptr || store_text(*want_, into_, whole(last));
        parts_.clear();
        return good || wrong(expected_of(*want_), c);
    }

    bool on_number_part(text, code&) const noexcept { return true; } // the text is there in one piece
    bool on_int64(std::int64_t number, text digits, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        engage();
        return want_ == nullptr || store_integer(*want_, into_, number, static_cast<std::uint64_t>(number), digits.front() == '-') ||
               wrong(expected_of(*want_), c);
    }
    bool on_uint64(std::uint64_t number, text, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        engage();
        return want_ == nullptr || store_integer(*want_, into_, 0, number, false) || wrong(expected_of(*want_), c);
    }
    bool on_double(double near, text digits, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        engage();
        return want_ == nullptr || store_real(*want_, into_, near, std::string_view(digits.data(), digits.size())) ||
               wrong(expected_of(*want_), c);
    }
    bool on_bool(bool value, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        engage();
        return want_ == nullptr || store_bool(*want_, into_, value) || wrong(expected_of(*want_), c);
    }
    bool on_null(code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        if (want_ == nullptr) return true;
        if (want_->kind != json_kind::optional) return wrong(expected_of(*want_), c);
        want_->clear(into_);
        return true;
    }
    bool on_comment_part(text, code&) const noexcept { return false; } // comments are no JSON, the parser refuses them itself
    bool on_comment(text, code&) const noexcept { return false; }

    /// What the parser itself refuses, or the limits do.
    bool wrong_at(std::string pointer, std::string expected) { return found_.add({"body", std::move(pointer), std::move(expected)}); }

private:
    static constexpr std::uint32_t npos = std::uint32_t(-1);
    struct frame {
        void* object;
        json_shape const* shape;
        std::uint64_t seen; // members
        std::uint32_t at;   // the member or element that is read, npos before the first
        bool told_unknown;  // one violation an object is enough
    };

    /// A value begins: it is counted, and if it is an element its place is found.
    bool arrives(code& c)
    {
        if (left_-- == 0) [[unlikely]]
            return too_many(c);
        if (skipped_ != 0) [[unlikely]] {
            want_ = nullptr;
        } else if (depth_ != 0 && is_sequence(frames_[depth_ - 1].shape->kind)) {
            frame& f = frames_[depth_ - 1];
            ++f.at;
            want_ = f.shape->inner;
            if (f.shape->kind == json_kind::list || f.at < f.shape->highest) [[likely]]
                into_ = f.shape->reach(f.object, f.at, {});
            else
                want_ = nullptr; // too many: said at the end of the array
        }
        return true;
    }
    static constexpr bool is_sequence(json_kind k) noexcept { return k == json_kind::list || k == json_kind::array; }
    void engage()
    {
        while (want_ != nullptr && want_->kind == json_kind::optional) {
            into_ = want_->reach(into_, 0, {});
            want_ = want_->inner;
        }
    }
    std::string_view whole(text last)
    {
        if (parts_.empty()) [[likely]]
            return {last.data(), last.size()};
        return parts_.append(last.data(), last.size());
    }

    bool member(frame& f, std::string_view name, code& c)
    {
        json_shape const& s = *f.shape;
        std::uint32_t at = f.at + 1; // most texts have the order of the struct
        if (at >= s.count || s.members[at].name != name) [[unlikely]] {
            for (at = 0; at < s.count && s.members[at].name != name;) ++at;
            if (at == s.count) {
                want_ = nullptr;
                return options_.ignore_unknown_members || unknown(f, c);
            }
        }
        f.at = at;
        std::uint64_t const bit = std::uint64_t{1} << at;
        if ((f.seen & bit) != 0) [[unlikely]] {
            want_ = nullptr;
            return wrong("one value, not the same member twice", c);
        }
        f.seen |= bit;
        into_ = s.members[at].in(f.object);
        want_ = s.members[at].shape;
        return true;
    }
    bool enter(frame& f, std::string_view name, code& c)
    {
        f.at = 0;
        want_ = f.shape->inner;
        into_ = f.shape->reach(f.object, 0, name);
        if (into_ != nullptr) [[likely]]
            return true;
        want_ = nullptr;
        return wrong_in(depth_ - 1, "each member once", c);
    }

    [[gnu::cold]] bool pass_over(code& c)
    {
        bool const goes_on = want_ == nullptr || wrong(expected_of(*want_), c);
        ++skipped_;
        return goes_on;
    }
    [[gnu::noinline, gnu::cold]] bool unknown(frame& f, code& c)
    {
        if (f.told_unknown) return true;
        f.told_unknown = true;
        std::string names = "no members but ";
        for (std::size_t i = 0; i < f.shape->count; ++i) (names += i == 0 ? "" : ", ") += f.shape->members[i].name;
        return wrong_in(depth_ - 1, f.shape->count == 0 ? "no members" : std::move(names), c);
    }
    [[gnu::noinline, gnu::cold]] bool missing(code& c)
    {
        frame& f = frames_[depth_ - 1];
        for (std::uint64_t left = f.shape->highest & ~f.seen; left != 0; left &= left - 1) {
            f.at = static_cast<std::uint32_t>(std::countr_zero(left));
            if (!wrong(expected_of(*f.shape->members[f.at].shape) + ", which is missing", c)) return false;
        }
        return true;
    }
    [[gnu::noinline, gnu::cold]] bool too_many(code& c)
    {
        wrong_at({}, "at most " + std::to_string(options_.values) + " values");
        c = errc::invalid_request;
        return false;
    }
    [[gnu::noinline, gnu::cold]] bool wrong(std::string expected, code& c) { return wrong_in(depth_, std::move(expected), c); }
    /// The pointer to where the first frames are. What a map's members are called was chosen by the client, and is not told again: there
    /// the pointer ends, and the rest of the way is said in words.
    bool wrong_in(std::size_t frames, std::string expected, code& c)
    {
        std::string pointer, inside;
        bool below_map = false;
        for (std::size_t i = 0; i < frames; ++i) {
            frame const& f = frames_[i];
            if (f.shape->kind == json_kind::map) {
                inside = below_map ? inside + "/*" : "";
                below_map = true;
                continue;
            }
            (below_map ? inside : pointer) += '/';
            (below_map ? inside : pointer) +=
                f.shape->kind == json_kind::object ? std::string(f.shape->members[f.at].name) : std::to_string(f.at);
        }
        if (below_map) expected = "in each member" + (inside.empty() ? ": " : ", at " + inside + ": ") + expected;
        if (wrong_at(std::move(pointer), std::move(expected))) return true;
        c = errc::invalid_request;
        return false;
    }

    void* into_;
    json_shape const* want_;
    json_options const& options_;
    std::size_t left_;
    std::size_t depth_ = 0;
    std::size_t skipped_ = 0; // levels of what is passed over
    std::string parts_;       // of a string or name with escapes
    violations found_;
    std::array<frame, json_options::most_levels> frames_; // those below depth_ are written
};

} // namespace weir::inline v0::detail
