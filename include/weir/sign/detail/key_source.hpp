// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/message_keys.hpp>
#include <weir/sign/signature_key.hpp>
#include <weir/sign/timestamp.hpp>

#include <optional>
#include <string_view>

namespace weir::inline v0::detail {

/// A set of keys of any threading model.
class key_source {
public:
    template<class Threading>
    explicit key_source(message_keys<Threading> const& keys) noexcept
        : keys_(&keys), find_([](void const* k, std::string_view id, wall_time now) {
              return static_cast<message_keys<Threading> const*>(k)->find(id, now);
          })
    {
    }
    [[nodiscard]] std::optional<signature_key> find(std::string_view id, wall_time now) const { return find_(keys_, id, now); }

private:
    void const* keys_;
    std::optional<signature_key> (*find_)(void const*, std::string_view, wall_time);
};

} // namespace weir::inline v0::detail
