// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/message_check.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

/// How often each fault was found, and how often none.
struct signature_stats {
    std::uint64_t good = 0;    ///< signed, or verified
    std::uint64_t missing = 0; ///< refused for this reason, as all that follow
    std::uint64_t malformed = 0;
    std::uint64_t not_covered = 0;
    std::uint64_t late = 0;
    std::uint64_t early = 0;
    std::uint64_t unknown_key = 0;
    std::uint64_t wrong_signature = 0;
    std::uint64_t wrong_digest = 0;
    void each(auto&& field) const
    {
        field("good_total", good);
        field("missing_total", missing);
        field("malformed_total", malformed);
        field("not_covered_total", not_covered);
        field("late_total", late);
        field("early_total", early);
        field("unknown_key_total", unknown_key);
        field("wrong_signature_total", wrong_signature);
        field("wrong_digest_total", wrong_digest);
    }
};

/// Counts them. One word each for all threads is good enough beside a signature.
template<class Threading>
class signature_counts {
public:
    void add(message_fault f) noexcept { counts_[static_cast<std::size_t>(f)].add(1); }
    [[nodiscard]] signature_stats sum() const
    {
        auto const count = [&](message_fault f) { return counts_[static_cast<std::size_t>(f)].load(); };
        return {.good = count(message_fault::none),
                .missing = count(message_fault::missing),
                .malformed = count(message_fault::malformed),
                .not_covered = count(message_fault::not_covered),
                .late = count(message_fault::late),
                .early = count(message_fault::early),
                .unknown_key = count(message_fault::unknown_key),
                .wrong_signature = count(message_fault::wrong_signature),
                .wrong_digest = count(message_fault::wrong_digest)};
    }

private:
    std::array<typename Threading::template cell<std::uint64_t>, 9> counts_{};
};

/// What a stranger is told: nothing that came with the message, and not which key or which byte was wrong.
inline violation violation_of(std::string_view where, message_check const& found)
{
    switch (found.fault) {
    case message_fault::missing: return {where, found.where.starts_with("signature") ? found.where : "", "a signature over what is there"};
    case message_fault::malformed: return {where, "", "a signature in its form"};
    case message_fault::not_covered: return {where, found.where, "to be covered by the signature"};
    case message_fault::late: return {where, found.where, "a time not so long ago"};
    case message_fault::early: return {where, found.where, "a time not in the future"};
    case message_fault::wrong_digest: return {where, found.where, "the digest of the body"};
    default: return {where, "", "a signature by a key that is known"};
    }
}

} // namespace weir::inline v0::detail
