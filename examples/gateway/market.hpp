// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <string_view>

namespace gateway {

/// What the quotes service has prices of; `gateway.json` has the same list, for the Bloom guard.
inline constexpr std::array<std::string_view, 64> symbols{
    "ACME", "AXLE", "BOLT", "BRIM", "CALM", "CEDR", "CLAY", "COVE", "DAWN", "DELT", "DUNE", "ECHO", "EDGE", "ELMS", "FERN", "FJRD",
    "FLNT", "FROG", "GALE", "GLAS", "GOLD", "GRID", "HALO", "HARP", "HAZE", "HIVE", "IRIS", "IRON", "ISLE", "JADE", "JETT", "JUNO",
    "KELP", "KITE", "KNOT", "LARK", "LIME", "LOOM", "LYNX", "MAPL", "MESA", "MINT", "MOSS", "NEON", "NOVA", "OAKS", "ONYX", "OPAL",
    "ORCA", "PEAK", "PINE", "PLUM", "QUAY", "REEF", "RILL", "SAGE", "SILK", "TALC", "TIDE", "VALE", "WAVE", "WREN", "YARN", "ZEST"};

} // namespace gateway
