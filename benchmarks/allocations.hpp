// SPDX-License-Identifier: BSL-1.0
// Counts what the whole program allocates: include it in one file of a program.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

inline std::atomic<std::size_t> allocations_made{0};

inline std::size_t allocations() { return allocations_made.load(std::memory_order_relaxed); }

[[gnu::noinline]] void* operator new(std::size_t size)
{
    allocations_made.fetch_add(1, std::memory_order_relaxed);
    if (void* const p = std::malloc(size)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment)
{
    allocations_made.fetch_add(1, std::memory_order_relaxed);
    auto const a = static_cast<std::size_t>(alignment);
    if (void* const p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
