// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// The room of texts that ended with their calls, kept for the thread's next calls: a text too long to be held in place then costs no
/// allocation. At most four a thread, of at most 255 bytes each; longer ones are freed.
class spare_texts {
public:
    /// A copy of `text`.
    [[nodiscard]] static std::string copy(std::string_view text)
    {
        if (text.size() <= in_place) [[likely]]
            return std::string(text);
        return copy_long(text);
    }
    /// Takes the room of a text that is not needed any more.
    static void give(std::string& text) noexcept
    {
        if (text.capacity() > in_place) [[unlikely]]
            give_long(text);
    }

private:
    static constexpr std::size_t size = 4, most = 255, in_place = 15;

    [[gnu::noinline]] static std::string copy_long(std::string_view text)
    {
        std::string made;
        if (text.size() <= most && !over) {
            spare_texts& mine = of_thread();
            if (mine.count_ != 0) made.swap(mine.kept_[--mine.count_]);
        }
        made.assign(text);
        return made;
    }
    [[gnu::noinline]] static void give_long(std::string& text) noexcept
    {
        if (text.capacity() > most || over) return;
        spare_texts& mine = of_thread();
        if (mine.count_ == size) return;
        text.clear();
        mine.kept_[mine.count_++].swap(text);
    }

    spare_texts() noexcept = default;
    ~spare_texts() { over = true; } // who ends even later frees by itself
    static spare_texts& of_thread() noexcept
    {
        thread_local spare_texts mine;
        return mine;
    }
    static inline thread_local bool over = false;

    std::size_t count_ = 0;
    std::string kept_[size]{};
};

} // namespace weir::inline v0::detail
