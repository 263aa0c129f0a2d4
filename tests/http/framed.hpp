// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/framing.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace weir_tests {

/// What the framing machine says of a whole stream.
struct framed {
    enum class verdict { accept, reject, incomplete };
    verdict found = verdict::incomplete;
    std::size_t complete = 0; ///< complete requests before the end or the refusal
    weir::http::refusal why = weir::http::refusal::none;
    std::string body; ///< of all requests, one behind the other

    friend bool operator==(framed const&, framed const&) = default;
};

/// Feeds a stream: whole with `cut` 0, byte by byte with 1, else in random pieces of that seed. As a reader on a socket does, it
/// keeps what the machine has not consumed.
inline framed frame(std::string_view stream, weir::http::framing_limits const& limits = {}, unsigned cut = 0)
{
    using event = weir::http::framing::event;
    framed made;
    weir::http::framing machine(limits);
    std::mt19937 random(cut);
    std::string kept;
    while (!stream.empty()) {
        std::size_t const size = cut == 0 ? stream.size() : cut == 1 ? 1 : std::min<std::size_t>(stream.size(), random() % 40);
        kept += stream.substr(0, size);
        stream.remove_prefix(size);
        kept.shrink_to_fit(); // a new place in memory: nothing may be kept by address
        for (;;) {
            event const found = machine.next(kept);
            if (found == event::body) made.body += machine.data();
            if (found == event::end) ++made.complete;
            if (found == event::refused) {
                made.found = framed::verdict::reject;
                made.why = machine.why();
                return made;
            }
            kept.erase(0, machine.consumed());
            if (found == event::more) break;
        }
    }
    if (machine.idle() && made.complete > 0) made.found = framed::verdict::accept;
    return made;
}

} // namespace weir_tests
