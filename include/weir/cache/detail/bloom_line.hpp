// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0::detail {

/// The words of a line, one cache line together. `Cell` is an atomic or a plain word.
template<class Cell>
struct alignas(64) bloom_line {
    static_assert(sizeof(Cell) == 8);
    static constexpr unsigned width = 8;
    std::array<Cell, width> words;
};

/// The place in word `i` that `bits` names: six bits of it for each word.
constexpr unsigned bloom_place(std::uint64_t bits, unsigned i) noexcept
{
    return static_cast<unsigned>(bits >> 6 * i & 63);
}

/// Whether each word of the line has the bit that `bits` names. For any processor.
template<class Cell>
bool line_has_plainly(bloom_line<Cell> const& line, std::uint64_t bits) noexcept
{
    std::uint64_t all = 1;
    for (unsigned i = 0; i < line.width; ++i) all &= line.words[i].load() >> bloom_place(bits, i);
    return all != 0;
}

#if defined(__x86_64__)

/// What the processor has. Read before it is set, by a constructor of another file's global, it says `none`: slower, and not wrong.
enum class vectors : std::uint8_t { none, avx2, avx512 };
inline vectors const has_vectors = [] {
    static_cast<void>(__builtin_cpu_init());
    // Processors with VBMI2 do not lower their clock for 512 bits.
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vbmi2")) return vectors::avx512;
    return __builtin_cpu_supports("avx2") ? vectors::avx2 : vectors::none;
}();

/// Words for a vector. Others may set bits meanwhile, and no C++ load of so many may race with that: they are read by the processor's own
/// instruction, which never tears one of the words.
template<std::size_t Size>
struct [[gnu::may_alias]] bloom_words {
    alignas(Size * 8) std::array<std::uint64_t, Size> words;
};
inline constexpr bloom_words<8> bloom_shifts{{0, 6, 12, 18, 24, 30, 36, 42}};
inline constexpr bloom_words<8> bloom_ones{{1, 1, 1, 1, 1, 1, 1, 1}};

/// The same as `line_has_plainly` with AVX-512, which the processor has to have. Registers above 15 need no clean-up for older
/// instructions.
[[gnu::target("avx512f")]] inline bool line_has_by_avx512(void const* line, std::uint64_t bits) noexcept
{
    bool none_lacks;
    asm volatile(
        "vpbroadcastq %[bits], %%zmm16\n\t"
        "vpsrlvq %[shifts], %%zmm16, %%zmm16\n\t"
        "vmovdqa64 %[ones], %%zmm17\n\t"
        "vprolvq %%zmm16, %%zmm17, %%zmm16\n\t" // by six bits: the others do not count
        "vptestnmq %[line], %%zmm16, %%k1\n\t"
        "kortestw %%k1, %%k1"
        : "=@ccz"(none_lacks)
        : [bits] "r"(bits), [shifts] "m"(bloom_shifts), [ones] "m"(bloom_ones), [line] "m"(*static_cast<bloom_words<8> const*>(line))
        : "xmm16", "xmm17", "k1");
    return none_lacks;
}

/// The same with AVX2. The vectors are the compilers' own: <immintrin.h> takes half a second to read.
[[gnu::target("avx2")]] inline bool line_has_by_avx2(void const* line, std::uint64_t bits) noexcept
{
    using words = std::uint64_t __attribute__((vector_size(32)));
    using signed_words = long long __attribute__((vector_size(32)));
    auto const* const half = static_cast<bloom_words<4> const*>(line);
    words first;
    words second;
    words all;
    asm volatile("vmovdqa %1, %0" : "=x"(first) : "m"(half[0]));
    asm volatile("vmovdqa %1, %0" : "=x"(second) : "m"(half[1]));
    asm("vmovq %1, %x0\n\tvpbroadcastq %x0, %0" : "=x"(all) : "r"(bits)); // g++ would go through memory
    words const one{1, 1, 1, 1};
    words const in_first = one << ((all << words{58, 52, 46, 40}) >> 58);
    words const in_second = one << ((all << words{34, 28, 22, 16}) >> 58);
    words const lacking = (in_first & ~first) | (in_second & ~second);
    return __builtin_ia32_ptestz256((signed_words)lacking, (signed_words)lacking) != 0;
}

template<class Cell>
[[gnu::always_inline]] inline bool line_has(bloom_line<Cell> const& line, std::uint64_t bits) noexcept
{
    if (has_vectors == vectors::avx512) return line_has_by_avx512(&line, bits);
    if (has_vectors == vectors::avx2) return line_has_by_avx2(&line, bits);
    return line_has_plainly(line, bits);
}

#else

template<class Cell>
[[gnu::always_inline]] inline bool line_has(bloom_line<Cell> const& line, std::uint64_t bits) noexcept
{
    return line_has_plainly(line, bits);
}

#endif

} // namespace weir::inline v0::detail
