// SPDX-License-Identifier: BSL-1.0
//
// Encrypted texts from strangers: one was sealed for the key, and nothing else opens. The first byte says how: the text as it came; a header for what
// was sealed; or that with one byte changed.
#include "must.hpp"

#include <weir/sign/jwe.hpp>

#include <cstdint>
#include <string>
#include <string_view>

using weir_fuzz::must;

namespace {

/// The key of RFC 7518 appendix C, which everybody has.
weir::jwe_key const& key()
{
    static weir::jwe_key const one = weir::read_jwe_key(
        weir::secret<>(R"({"kty":"EC","crv":"P-256","kid":"a","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",)"
                       R"("y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"})"));
    return one;
}
constexpr std::string_view sealed = "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImtpZCI6ImEiLCJlcGsiOnsia3R5IjoiRUMiLCJjcnYiOiJQLTI1NiIs"
                                    "IngiOiJtM2VFQnlXVnhNUllFam1lSFdTNUpKb3FURFgtdzlnVWVkS3VJQVAxUk9nIiwieSI6ImxKeGFqSTkxNzNDTlZBNTVGNElp"
                                    "VGZDVGJwVDdLZDhIbXJoVWhXSlAxYm8ifX0..XpcuUItva40Rf8_W.WH0xxPyEKzmnBHo.AiHkVKks7g3veXHmvi3knw";

void check(std::string_view text)
{
    weir::opened_jwe const opened = weir::open_jwe(key(), text);
    must(bool(opened) == (text == sealed), "what was sealed opens, and nothing else");
    must(opened ? opened.text == "open sesame" : opened.text.empty(), "it is told whole, or nothing of it");
    must(weir::open_jwe(key(), text, {.max_bytes = 16}).fault == weir::jwe_fault::too_long || text.size() <= 16, "a limit holds");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    switch (input.number() % 3) {
    case 0: check(input.rest()); break;
    case 1: check(weir::to_base64url(input.rest()) + std::string(sealed.substr(sealed.find('.')))); break;
    default: {
        std::string changed(sealed);
        std::size_t const place = (input.number() * 256 + input.number()) % changed.size();
        changed[place] = static_cast<char>(changed[place] ^ static_cast<char>(input.number()));
        check(changed);
    }
    }
    return 0;
}
