// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/validate/detail/json_shape.hpp>
#include <weir/validate/detail/json_store.hpp>
#include <weir/validate/detail/json_text.hpp>
#include <weir/validate/json_options.hpp>
#include <weir/validate/violation.hpp>

#include <boost/json/basic_parser_impl.hpp>

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
        : into_(into), want_(&shape), top_(frames_), left_(o.values), options_(o)
    {
        frames_[0] = {nullptr, &json_nothing, &json_end, 0, 0, false};
    }
    [[nodiscard]] violations& found() noexcept { return found_; }

    bool on_document_begin(code&) const noexcept { return true; }
    bool on_document_end(code&) const noexcept { return true; }

    bool on_object_begin(code& c)
    {
        return arrives(c) && (want_->kind == json_kind::object || engaged(json_kind::object, json_kind::map) ? enter() : pass_over(c));
    }
    bool on_object_end(std::size_t, code& c)
    {
        if (skipped_ != 0) [[unlikely]]
            return passed_over();
        if (top_->shape->kind == json_kind::object && (top_->shape->highest & ~top_->seen) != 0) [[unlikely]]
            if (!missing(c)) return false;
        leave();
        return true;
    }
    bool on_array_begin(code& c)
    {
        return arrives(c) && (want_->kind == json_kind::list || engaged(json_kind::list, json_kind::array) ? enter() : pass_over(c));
    }
    bool on_array_end(std::size_t size, code& c)
    {
        if (skipped_ != 0) [[unlikely]]
            return passed_over();
        json_shape const& s = *top_->shape;
        leave();
        return s.kind != json_kind::array || size == s.highest || wrong(expected_of(s), c);
    }

    bool on_key_part(text part, std::size_t, code&) { return on_part(part); }
    bool on_key(text last, std::size_t, code& c)
    {
        if (skipped_ != 0) [[unlikely]]
            return true;
        json_member const* const next = top_->next; // most texts have the order of the struct
        if (!same_text(next->name, {last.data(), last.size()}) || !parts_.empty()) [[unlikely]]
            return other_key(last, c);
        return member(next, c);
    }
    bool on_string_part(text part, std::size_t, code&) { return on_part(part); }
    bool on_string(text last, std::size_t, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        if (want_->kind != json_kind::text || !parts_.empty() || last.size() > options_.text_bytes) [[unlikely]]
            return other_string(last, c);
        return static_cast<std::string*>(into_)->assign(last.data(), last.size()), true;
    }

    bool on_number_part(text, code&) const noexcept { return true; } // the text is there in one piece
    bool on_int64(std::int64_t number, text digits, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        auto const bits = static_cast<std::uint64_t>(number);
        if (want_->kind != json_kind::integer) [[unlikely]]
            return other_integer(number, bits, digits.front() == '-', c);
        return put_integer(*want_, into_, number, bits, number < 0) || unfit(c);
    }
    bool on_uint64(std::uint64_t number, text, code& c) { return arrives(c) && other_integer(0, number, false, c); }
    bool on_double(double near, text digits, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        if (want_->kind != json_kind::real || want_->bytes != sizeof(double) || !read_short({digits.data(), digits.size()}, into_))
            [[unlikely]]
            return other_real(near, {digits.data(), digits.size()}, c);
        return true;
    }
    bool on_bool(bool value, code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        if (want_->kind != json_kind::boolean) [[unlikely]]
            return other_bool(value, c);
        return *static_cast<bool*>(into_) = value, true;
    }
    bool on_null(code& c)
    {
        if (!arrives(c)) [[unlikely]]
            return false;
        if (want_->kind != json_kind::optional) return unfit(c);
        want_->clear(into_);
        return true;
    }
    bool on_comment_part(text, code&) const noexcept { return false; } // comments are no JSON, the parser refuses them itself
    bool on_comment(text, code&) const noexcept { return false; }

    /// What the parser itself refuses, or the limits do.
    bool wrong_at(std::string pointer, std::string expected) { return found_.add({"body", std::move(pointer), std::move(expected)}); }

private:
    struct frame {
        void* object;
        json_shape const* shape;
        json_member const* next; // of the struct, behind the one that is read; `json_end` if it is none
        std::uint64_t seen;      // members
        std::uint64_t at;        // the number of the element that is read, from 1; of members that came out of their order, or have none
        bool told_unknown;       // one violation an object is enough
    };

    /// A value begins: it is counted, and if no name has said where it goes its place is found.
    bool arrives(code& c)
    {
        if (left_ == 0) [[unlikely]]
            return too_many(c);
        --left_;
        if (looks_) [[unlikely]]
            find_place();
        return true;
    }
    [[gnu::noinline]] void find_place()
    {
        json_shape const& s = *top_->shape;
        bool const wanted = skipped_ == 0 && (top_->at++ < s.highest || s.kind == json_kind::list); // too many: said at the array's end
        want_ = wanted ? s.inner : &json_nothing;
        if (wanted) into_ = s.reach(top_->object, top_->at - 1, {});
    }
    void engage()
    {
        while (want_->kind == json_kind::optional) [[unlikely]]
            {
                into_ = want_->reach(into_, 0, {});
                want_ = want_->inner;
            }
    }
    bool engaged(json_kind one, json_kind other)
    {
        engage();
        return want_->kind == one || want_->kind == other;
    }
    bool enter()
    {
        if (want_->clear != nullptr) want_->clear(into_);
        *++top_ = {into_, want_, want_->kind == json_kind::object ? want_->members : &json_end, 0, 0, false};
        looks_ = is_sequence();
        return true;
    }
    void leave()
    {
        --top_;
        looks_ = is_sequence();
    }
    [[nodiscard]] bool is_sequence() const noexcept
    {
        return top_->shape->kind == json_kind::list || top_->shape->kind == json_kind::array;
    }
    /// An array or object that has no place, with all that is in it.
    [[gnu::noinline, gnu::cold]] bool pass_over(code& c)
    {
        ++skipped_;
        looks_ = true;
        return unfit(c);
    }
    bool passed_over()
    {
        if (--skipped_ == 0) looks_ = is_sequence();
        return true;
    }

    bool on_part(text part)
    {
        if (skipped_ == 0) parts_.append(part.data(), part.size());
        return true;
    }
    std::string_view whole(text last)
    {
        if (parts_.empty()) return {last.data(), last.size()};
        return parts_.append(last.data(), last.size());
    }
    // What is not the common case: a form, an optional, a number in another member, a value without a place.
    [[gnu::noinline]] bool other_string(text last, code& c)
    {
        engage();
        std::string_view const value = whole(last);
        if (value.size() > options_.text_bytes) return too_much(options_.text_bytes, " bytes of a string", c);
        bool const fits = store_text(*want_, into_, value);
        parts_.clear();
        return fits || unfit(c);
    }
    [[gnu::noinline]] bool other_integer(std::int64_t number, std::uint64_t bits, bool negative, code& c)
    {
        engage();
        return store_integer(*want_, into_, number, bits, negative) || unfit(c);
    }
    [[gnu::noinline]] bool other_real(double near, std::string_view digits, code& c)
    {
        engage();
        return store_real(*want_, into_, near, digits) || unfit(c);
    }
    [[gnu::noinline]] bool other_bool(bool value, code& c)
    {
        engage();
        return store_bool(*want_, into_, value) || unfit(c);
    }

    bool member(json_member const* m, code& c)
    {
        top_->next = m + 1;
        if ((top_->seen & m->bit) != 0) [[unlikely]]
            return repeated(c);
        top_->seen |= m->bit;
        want_ = m->shape;
        into_ = m->in(top_->object);
        return true;
    }
    [[gnu::noinline]] bool other_key(text last, code& c)
    {
        std::string_view const name = whole(last);
        json_shape const& s = *top_->shape;
        if (name.size() > options_.text_bytes) return too_much(options_.text_bytes, " bytes of a string", c);
        if (++top_->at > options_.members) return too_much(options_.members, " members of an object", c);
        bool goes_on = true;
        if (s.kind == json_kind::map) {
            want_ = s.inner;
            into_ = s.reach(top_->object, 0, name);
            goes_on = into_ != nullptr || (want_ = &json_nothing, wrong_in(top_, "each member once", c));
        } else {
            json_member const* m = s.members;
            while (m != s.members + s.count && !same_text(m->name, name)) ++m;
            goes_on = m != s.members + s.count ? member(m, c) : unknown(c);
        }
        parts_.clear();
        return goes_on;
    }

    /// The value does not fit what is wanted. Whatever has no place fits.
    [[gnu::noinline, gnu::cold]] bool unfit(code& c) { return want_->kind == json_kind::nothing || wrong(expected_of(*want_), c); }
    [[gnu::noinline, gnu::cold]] bool repeated(code& c)
    {
        want_ = &json_nothing;
        return wrong("one value, not the same member twice", c);
    }
    [[gnu::noinline, gnu::cold]] bool unknown(code& c)
    {
        want_ = &json_nothing;
        if (options_.ignore_unknown_members || std::exchange(top_->told_unknown, true)) return true;
        json_shape const& s = *top_->shape;
        std::string names(unknown_members);
        names += s.count == 0 ? "" : " but ";
        for (std::size_t i = 0; i < s.count; ++i) (names += i == 0 ? "" : ", ") += s.members[i].name;
        return wrong_in(top_, std::move(names), c);
    }
    [[gnu::noinline, gnu::cold]] bool missing(code& c)
    {
        frame& f = *top_;
        for (std::uint64_t left = f.shape->highest & ~f.seen; left != 0; left &= left - 1) {
            f.next = f.shape->members + std::countr_zero(left) + 1;
            if (!wrong(expected_of(*f.next[-1].shape) + ", which is missing", c)) return false;
        }
        return true;
    }
    [[gnu::noinline, gnu::cold]] bool too_many(code& c) { return too_much(options_.values, " values", c); }
    /// A limit is passed: the reading ends.
    [[gnu::noinline, gnu::cold]] bool too_much(std::size_t most, std::string_view of_what, code& c)
    {
        wrong_at({}, ("at most " + std::to_string(most)).append(of_what));
        c = errc::invalid_request;
        return false;
    }
    [[gnu::noinline, gnu::cold]] bool wrong(std::string expected, code& c) { return wrong_in(top_ + 1, std::move(expected), c); }
    /// The pointer to what the frames before `end` are at. What a map's members are called was chosen by the client, and is not told again: there
    /// the pointer ends, and the rest of the way is said in words.
    bool wrong_in(frame const* end, std::string expected, code& c)
    {
        std::string pointer, inside;
        bool below_map = false;
        for (frame const* at = frames_ + 1; at < end; ++at) {
            frame const& f = *at;
            if (f.shape->kind == json_kind::map) {
                inside = below_map ? inside + "/*" : "";
                below_map = true;
                continue;
            }
            (below_map ? inside : pointer) += '/';
            (below_map ? inside : pointer) += f.shape->kind == json_kind::object ? std::string(f.next[-1].name) : std::to_string(f.at - 1);
        }
        if (below_map) expected = "in each member" + (inside.empty() ? ": " : ", at " + inside + ": ") + expected;
        if (wrong_at(std::move(pointer), std::move(expected))) return true;
        c = errc::invalid_request;
        return false;
    }

    void* into_;
    json_shape const* want_; // of the next value, or of the one that is read
    frame* top_;
    std::size_t left_;        // values
    std::size_t skipped_ = 0; // levels of what is passed over
    bool looks_ = false;      // no name says where the next value goes: it is an element, or passed over
    std::string parts_;       // of a string or name with escapes
    json_options const& options_;
    violations found_;
    frame frames_[json_options::most_levels + 1]; // the first is around the document; those after top_ are not written
};

} // namespace weir::inline v0::detail
