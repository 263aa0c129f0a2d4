// SPDX-License-Identifier: BSL-1.0
//
// The framing machine: the same requests and the same verdict however a stream is cut, and the same requests as a plain reader finds.
// The first byte says which limits, whether they are responses, and how the random pieces are cut; the rest is the stream.
#include "must.hpp"
#include "plain_reader.hpp"

#include <weir/http/framing.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using weir_fuzz::message;
using weir_fuzz::must;
namespace http = weir::http;

namespace {

constexpr http::framing_limits limits[] = {
    {},
    {.line_bytes = 40, .field_bytes = 30, .header_bytes = 120, .fields = 4, .body_bytes = 24},
    {.line_bytes = 64, .field_bytes = 64, .header_bytes = 64, .fields = 2, .body_bytes = 3},
    {.line_bytes = 200, .field_bytes = 100, .header_bytes = 150, .fields = 6, .body_bytes = 64},
};

struct told {
    std::vector<message> complete{};
    message last{}; ///< the one that is not complete
    http::refusal why = http::refusal::none;
    bool idle = false;
    friend bool operator==(told const&, told const&) = default;
};

/// Feeds a machine as a reader on a socket does: what it has not consumed is given again.
class feeder {
public:
    feeder(http::framing_limits const& l, http::message_kind kind) : machine_(l, kind), kind_(kind) {}

    /// False once the machine has refused. `kept` is what is there and not consumed.
    bool feed(std::string_view& kept)
    {
        using event = http::framing::event;
        for (;;) {
            until_end_ = machine_.needs_end();
            event const found = machine_.next(kept);
            must(machine_.consumed() <= kept.size(), "no more is consumed than was given");
            if (found == event::refused) {
                must(machine_.next(kept) == event::refused, "what was refused stays refused");
                made_.why = machine_.why();
                if (until_end_) made_.last.body.clear(); // where the limit falls within a piece, none of that piece is told
                return false;
            }
            if (found == event::head) take_head();
            if (found == event::body) {
                must(!machine_.data().empty(), "a piece of a body has bytes");
                made_.last.body += machine_.data();
            }
            if (found == event::end) {
                made_.complete.push_back(std::move(made_.last));
                made_.last = {};
                // Of responses: every second one answers a HEAD request.
                if (kind_ == http::message_kind::response && made_.complete.size() % 2 == 1) machine_.expect_no_body();
            }
            kept.remove_prefix(machine_.consumed());
            if (found == event::more) return true;
        }
    }
    told finish()
    {
        made_.idle = machine_.idle();
        if (made_.why == http::refusal::none && machine_.needs_end()) {
            must(machine_.finish() == http::framing::event::end, "the end of the connection ends a body that waits for it");
        }
        return std::move(made_);
    }

private:
    void take_head()
    {
        http::message_head const& head = machine_.head();
        message& m = made_.last;
        m.version = head.version();
        if (kind_ == http::message_kind::request) {
            m.method = head.method();
            m.target = head.target();
        } else {
            m.method = std::to_string(head.status());
            m.target = head.reason();
        }
        for (std::size_t i = 0; i < head.field_count(); ++i) { m.fields.emplace_back(head.field_at(i).name, head.field_at(i).value); }
    }

    http::framing machine_;
    http::message_kind kind_;
    bool until_end_ = false;
    told made_;
};

told whole(std::string_view stream, http::framing_limits const& l, http::message_kind kind)
{
    feeder one(l, kind);
    one.feed(stream);
    return one.finish();
}
told bytewise(std::string_view stream, http::framing_limits const& l, http::message_kind kind)
{
    feeder one(l, kind);
    std::string_view kept = stream.substr(0, 0);
    for (bool more = true; more && kept.data() + kept.size() != stream.data() + stream.size();) {
        kept = {kept.data(), kept.size() + 1};
        more = one.feed(kept);
    }
    return one.finish();
}
/// In pieces of any size, each time at another place in memory: nothing may be kept by address.
told in_pieces(std::string_view stream, http::framing_limits const& l, http::message_kind kind, unsigned seed)
{
    feeder one(l, kind);
    std::string kept;
    for (std::size_t step = seed; !stream.empty(); step = step * 2'862'933'555'777'941'757u + 3'037'000'493u) {
        std::size_t const size = std::min<std::size_t>(stream.size(), step >> 33 & 63);
        std::string grown(kept);
        grown += stream.substr(0, size);
        stream.remove_prefix(size);
        kept.assign(kept.size(), '#');
        std::string_view left = grown;
        if (!one.feed(left)) break;
        kept = left;
    }
    return one.finish();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    unsigned const choice = input.number();
    http::framing_limits const& l = limits[choice & 3];
    auto const kind = (choice & 4) != 0 ? http::message_kind::response : http::message_kind::request;
    std::string_view const stream = input.rest();

    told const once = whole(stream, l, kind);
    must(bytewise(stream, l, kind) == once, "single bytes get the same verdict");
    must(in_pieces(stream, l, kind, choice) == once, "pieces get the same verdict");
    if (kind == http::message_kind::response) return 0;

    weir_fuzz::plain_reader plain(stream, l);
    for (message const& m : once.complete) {
        auto const other = plain.next();
        must(other.has_value(), "a plain reader takes what the machine takes");
        must(*other == m, "a plain reader finds the same request");
    }
    must(!plain.next(), "the machine takes what a plain reader takes");
    return 0;
}
