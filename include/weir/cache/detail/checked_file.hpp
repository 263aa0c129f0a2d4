// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/file_error.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/detail/splitmix64.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <unistd.h>

namespace weir::inline v0::detail {

/// What begins a file of one of weir's own formats.
struct file_kind {
    std::array<char, 8> magic;
    std::uint32_t version;
    std::string_view noun;    ///< for errors: "a saved Bloom filter"
    std::uint32_t oldest = 0; ///< version that can still be read; zero: only the newest
};

struct file_head {
    std::array<char, 8> magic;
    std::uint32_t byte_order;
    std::uint32_t version;
    static constexpr std::uint32_t order = 0x01020304;
};

/// The sum of all that stands before the sum. It finds accidents; who may write the file can also mend its sum.
class file_sum {
public:
    static constexpr std::size_t chunk = 64 * 1024;
    /// Of one chunk after the other; all are whole but the last.
    void add(std::string_view bytes) noexcept
    {
        state_ ^= hash_(bytes);
        state_ = splitmix64(state_);
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return state_; }

private:
    seeded_hash hash_{0x77656972}; // fixed: it is part of the format
    std::uint64_t state_ = 0;
};

struct close_file {
    void operator()(std::FILE* f) const noexcept { static_cast<void>(std::fclose(f)); }
};
using open_file = owner<std::FILE, close_file>;

[[noreturn]] inline void file_failed(std::string_view path, std::string_view what)
{
    throw file_error(path, std::string(what) + ": " + std::generic_category().message(errno));
}

/// Writes a file beside the one that it is to replace, and puts it into its place once it is whole and on the disk: who reads the path sees
/// the old one or the new one. Not committed, it is removed. Throws `file_error`.
class file_writer {
public:
    file_writer(std::string path, file_kind const& kind) : path_(std::move(path)), beside_(path_ + ".new")
    {
        constexpr std::string_view digits = "0123456789abcdef";
        for (std::uint64_t left = random_seed() | 1u << 31; left != 0; left >>= 4) beside_ += digits[left & 15];
        file_ = open_file(std::fopen(beside_.c_str(), "wbx"));
        if (file_ == nullptr) file_failed(beside_, "cannot be made");
        buffer_.reserve(file_sum::chunk);
        put(file_head{kind.magic, file_head::order, kind.version});
    }
    file_writer(file_writer const&) = delete;
    ~file_writer()
    {
        if (file_ != nullptr) static_cast<void>(std::remove(beside_.c_str()));
    }

    void write(void const* from, std::size_t size)
    {
        for (auto const* at = static_cast<char const*>(from); size != 0;) {
            std::size_t const some = std::min(size, file_sum::chunk - buffer_.size());
            buffer_.append(at, some);
            at += some;
            size -= some;
            if (buffer_.size() == file_sum::chunk) flush();
        }
    }
    template<class T>
    void put(T const& plain)
    {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
        write(&plain, sizeof plain);
    }
    void commit()
    {
        if (!buffer_.empty()) flush();
        std::uint64_t const sum = sum_.value();
        to_file(&sum, sizeof sum);
        if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) file_failed(beside_, "cannot be written");
        if (std::rename(beside_.c_str(), path_.c_str()) != 0) file_failed(path_, "cannot be replaced");
        file_ = nullptr;
    }

private:
    void flush()
    {
        sum_.add(buffer_);
        to_file(buffer_.data(), buffer_.size());
        buffer_.clear();
    }
    void to_file(void const* from, std::size_t size)
    {
        if (std::fwrite(from, 1, size, file_.get()) != size) file_failed(beside_, "cannot be written");
    }

    std::string path_;
    std::string beside_;
    open_file file_;
    std::string buffer_;
    file_sum sum_;
};

/// Reads such a file. It has read it once to its end, and found it whole, before it hands out the first byte. Throws `file_error`.
class file_reader {
public:
    file_reader(std::string path, file_kind const& kind) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb"))
    {
        if (file_ == nullptr) file_failed(path_, "cannot be opened");
        if (std::fseek(file_.get(), 0, SEEK_END) != 0) file_failed(path_, "cannot be read");
        long const size = std::ftell(file_.get());
        if (size < 0) file_failed(path_, "cannot be read");
        auto const whole = static_cast<std::size_t>(size);
        if (whole < sizeof(file_head)) fail("is not " + std::string(kind.noun) + ": it is too short");
        rewind();
        file_head head;
        from_file(&head, sizeof head);
        if (std::memcmp(head.magic.data(), kind.magic.data(), kind.magic.size()) != 0) fail("is not " + std::string(kind.noun));
        if (head.byte_order != file_head::order) fail("was made on a machine of another byte order");
        if (head.version > kind.version || head.version < (kind.oldest == 0 ? kind.version : kind.oldest))
            fail("has version " + std::to_string(head.version) + ", expected " + std::to_string(kind.version));
        if (whole < sizeof head + sizeof(std::uint64_t)) fail("is damaged: it is too short");
        left_ = whole - sizeof(std::uint64_t);
        check_sum();
        body_ = left_ - sizeof head;
        again();
    }

    /// Begins anew with the first byte behind the head.
    void again()
    {
        if (std::fseek(file_.get(), sizeof(file_head), SEEK_SET) != 0) file_failed(path_, "cannot be read");
        left_ = body_;
    }

    /// Bytes that are left.
    [[nodiscard]] std::size_t left() const noexcept { return left_; }
    void read(void* to, std::size_t size)
    {
        if (size > left_) fail("is damaged: it ends too early");
        from_file(to, size);
        left_ -= size;
    }
    template<class T>
    [[nodiscard]] T get()
    {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
        T plain;
        read(&plain, sizeof plain);
        return plain;
    }
    [[noreturn]] void fail(std::string_view what) const { throw file_error(path_, what); }

private:
    void check_sum()
    {
        rewind();
        file_sum sum;
        std::string buffer(std::min(left_, file_sum::chunk), '\0');
        for (std::size_t rest = left_; rest != 0;) {
            std::size_t const some = std::min(rest, buffer.size());
            from_file(buffer.data(), some);
            sum.add(std::string_view(buffer).substr(0, some));
            rest -= some;
        }
        std::uint64_t said = 0;
        from_file(&said, sizeof said);
        if (said != sum.value()) fail("is damaged: its sum is not that of its contents");
    }
    void rewind()
    {
        if (std::fseek(file_.get(), 0, SEEK_SET) != 0) file_failed(path_, "cannot be read");
    }
    void from_file(void* to, std::size_t size)
    {
        if (std::fread(to, 1, size, file_.get()) != size) fail("cannot be read to its end");
    }

    std::string path_;
    open_file file_;
    std::size_t left_ = 0;
    std::size_t body_ = 0;
};

} // namespace weir::inline v0::detail
