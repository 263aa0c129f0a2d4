// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace weir::inline v0 {

struct bloom_filter_options {
    required<std::size_t> population;       ///< keys it is made for, in [1, 2^36]; more raise the rate of false positives
    double false_positive_rate = 0.01;      ///< of keys never added, at that population; in [1e-6, 0.5]
    std::optional<std::uint64_t> seed = {}; ///< of hashing; nobody knows it if it is left out
};

struct bloom_filter_stats {
    std::size_t added;          ///< keys added, estimated from the places that are taken
    std::size_t size_in_bytes;  ///< memory of the bits
    double false_positive_rate; ///< of keys never added, estimated from the places that are taken
};

} // namespace weir::inline v0
