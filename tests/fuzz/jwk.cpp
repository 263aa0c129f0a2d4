// SPDX-License-Identifier: BSL-1.0
//
// Keys and sets of keys as JSON: they are read or refused with a sentence, and what is read is for the algorithm that the text allows. The first
// byte says whether the text is a key, the members of one, or a set.
#include "must.hpp"

#include <weir/sign/key_set.hpp>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

using weir_fuzz::must;

namespace {

using enum weir::jws_algorithm;
// Not RSA: its primes are tested when a key is read, which would take all the time.
constexpr std::array some{hs256, hs512, es256, es384, es512, ed25519, ed448};

void check_key(std::string_view text)
{
    try {
        weir::jws_key const key = weir::read_jwk(text, some);
        weir::strict_json document;
        must(document.read(text) == weir::strict_json_fault::none, "a key is strict JSON");
        auto const root = document.root();
        must(!root["alg"] || root["alg"].text() == to_string(key.algorithm()), "a key is for the algorithm that it names");
        must(!root["use"] || root["use"].text() == "sig", "a key is for signatures");
        must(key.kid() == root["kid"].text().value_or(""), "a key has the name that it gives");
        must(!key.verify("message", std::string(64, 'x')) && !key.verify("message", ""), "nobody signed this");
    } catch (std::invalid_argument const& e) {
        must(std::string_view(e.what()).find("expected") != std::string_view::npos, "a refusal says what was expected");
    }
    for (weir::jws_algorithm a : {hs256, es256, ed25519}) {
        try {
            weir::jws_signer const signer = weir::read_signing_jwk(weir::secret<>(text), a);
            std::string const signature = signer.sign("message");
            must(signature.size() >= 32, "a signature has a length");
        } catch (std::invalid_argument const&) {
        }
    }
}

void check_set(std::string_view text)
{
    try {
        weir::key_set<weir::confined> const keys(text, {.algorithms = {some.begin(), some.end()}, .max_keys = 8, .max_bytes = 4096});
        weir::strict_json document;
        must(document.read(text) == weir::strict_json_fault::none, "a set is strict JSON");
        std::size_t const listed = document.root()["keys"].size();
        must(keys.size() + keys.left_out().size() == listed, "each key is used, or left out with a sentence");
        for (weir::json_view each : document.root()["keys"]) {
            auto const kid = each["kid"].text();
            if (!kid) continue;
            auto const found = keys.find(kid);
            must(found == nullptr || found->kid() == *kid, "a key is found by its name alone");
        }
    } catch (std::invalid_argument const&) {
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    unsigned const way = input.number();
    std::string const text(input.rest());
    switch (way % 3) {
    case 0: check_key(text); break;
    case 1: check_key("{" + text + "}"); break;
    default: check_set(text);
    }
    return 0;
}
