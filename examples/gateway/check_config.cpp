// SPDX-License-Identifier: BSL-1.0
// Checks what the gateway says to bad configurations and to bad files of keys: the path of the member, what was expected, what was found.
// usage: gateway_check_config gateway.json
#include "config.hpp"
#include "demo_keys.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

struct bad_change {
    std::string_view change;   ///< made to the good file
    std::string_view expected; ///< what is said, after the name of the file
};

constexpr bad_change bad_changes[] = {
    {R"(/routes/quotes/rate/permits="ten")", R"(/routes/quotes/rate/permits: expected a whole number of at least 1, found "ten")"},
    {"/routes/quotes/rate/permits=0", "/routes/quotes/rate/permits: expected a whole number of at least 1, found 0"},
    {"/routes/quotes/rate/permits=2.5", "/routes/quotes/rate/permits: expected a whole number of at least 1, found 2.5"},
    {"/routes/quotes/timeout=200", R"(/routes/quotes/timeout: expected a time such as "200ms", "10s" or "5min", found 200)"},
    {"/routes/quotes/timeout=0ms", R"(/routes/quotes/timeout: expected a time such as "200ms", "10s" or "5min", found "0ms")"},
    {"/routes/quotes/breaker/failure_rate=0",
     "/routes/quotes/breaker: circuit_breaker.failure_rate: expected a ratio above 0 and at most 1"},
    {"/routes/quotes/retry/cap=5ms", "/routes/quotes/retry: retry.cap: expected from base to 24 h"},
    {"/routes/quotes/cache/jitter=1.5", "/routes/quotes/cache/jitter: expected a number from 0 to 1, found 1.5"},
    {"/routes/quotes/refresh_after=1", "/routes/quotes: refresh_ahead.after: expected a ratio in [0, 1)"},
    {"/routes/quotes/loads/max_loads=0", "/routes/quotes/loads/max_loads: expected a whole number from 1 to 1000000, found 0"},
    {"/routes/quotes/loads/tightened_to=1", "/routes/quotes/loads: tightened_to: expected a ratio above 0 and below 1"},
    {"/routes/quotes/alarm/drop=0", "/routes/quotes/alarm: hit_rate.drop: expected a ratio above 0 and at most 1"},
    {"/routes/quotes/alarm/memory=100ms", "/routes/quotes/alarm: hit_rate.memory: expected at least the window"},
    {"/routes/quotes/cache=null", "/routes/quotes/cache: expected an object, found null"},
    {"/routes/quotes/symbols/1=7", "/routes/quotes/symbols/1: expected a text, found 7"},
    {"/routes/quotes/symbols=ACME", R"(/routes/quotes/symbols: expected a list of texts, found "ACME")"},
    {"/listen/port=70000", "/listen/port: expected a whole number from 0 to 65535, found 70000"},
    {"/listen/address=localhost", R"(/listen/address: expected an address such as "127.0.0.1", found "localhost")"},
    {"/upstreams/quotes/port=0", "/upstreams/quotes/port: expected a whole number from 1 to 65535, found 0"},
    {"/keys/0/key=short", "/keys/0/key: expected a text of at least 16 bytes, found 5"},
    {R"(/keys=[{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"},{"app": "a", "key": "0123456789abcdef"}])",
     "/keys: signing_key::app: expected at most 8 keys of one app"},
    {R"(/listen={"address": "::1", "port": 1, "prot": 2})", "/listen/prot: there is no such setting"},
    {R"(/listen={"address": "::1"})", "/listen/port: expected a whole number from 0 to 65535, found nothing"},
    {"/tokens=null", "/tokens: expected an object, found null"},
    {R"(/tokens/issuer="")", R"(/tokens/issuer: expected a text that is not empty, found "")"},
    {"/tokens/jwks=7", "/tokens/jwks: expected the name of a file, found 7"},
    {"/tokens/jwks=nowhere.jwks", "/tokens/jwks: nowhere.jwks: cannot be read: No such file or directory"},
    {"/tokens/jwks=.", "/tokens/jwks: .: cannot be read: it is a folder"},
    {"/tokens/jwks=empty", "/tokens/jwks: empty: it is empty"},
    {"/tokens/jwks=large", "/tokens/jwks: large: it has more than 1 MiB"},
    {"/tokens/jwks=gateway-1.pub.pem", "/tokens/jwks: gateway-1.pub.pem: key: expected a JSON text without duplicate members"},
    {"/tokens/jwks=object", R"(/tokens/jwks: object: key_set: expected a JWK Set: a JSON object with the list "keys")"},
    {"/tokens/jwks=none.jwks", "/tokens/jwks: none.jwks: expected a public key for ES256, EdDSA, PS256 or RS256"},
    {"/tokens/jwks=secret.jwks",
     "/tokens/jwks: secret.jwks: expected a public key for ES256, EdDSA, PS256 or RS256; key 1, \"a\": key: expected a JWK of an allowed "
     "algorithm: \"kty\", \"crv\" and \"alg\" agree with one"},
    {"/tokens/jwks=off_curve.jwks",
     "/tokens/jwks: off_curve.jwks: expected a public key for ES256, EdDSA, PS256 or RS256; key 1, \"a\": key: expected a JWK whose "
     "numbers are an EC key"},
    {R"(/tokens={"issuer": "i", "audience": "a", "leeway": "1s", "key": "issuer.pub.pem", "algorithm": "none"})",
     R"(/tokens/algorithm: expected one of ES256, EdDSA, PS256, RS256, found "none")"},
    {R"(/tokens={"issuer": "i", "audience": "a", "leeway": "1s", "key": "gateway-1.pub.pem", "algorithm": "ES256"})",
     "/tokens/key: gateway-1.pub.pem: key: expected ES256: a key on the curve P-256"},
    {R"(/tokens={"issuer": "i", "audience": "a", "leeway": "1s", "key": "gateway-1.pub.pem", "algorithm": "EdDSA", "jwks": "issuer.jwks"})",
     "/tokens/jwks: there is no such setting"},
    {R"(/tokens={"issuer": "i", "audience": "a", "leeway": "1s", "key": "issuer.jwks", "algorithm": "ES256", "kid": ""})",
     "/tokens/kid: expected a text that is not empty, found \"\"\ngateway.json: /tokens/key: issuer.jwks: key: expected PEM: a text with a "
     "line \"-----BEGIN ...-----\""},
    {"/identity/key=nowhere.pem", "/identity/key: nowhere.pem: cannot be read: No such file or directory"},
    {"/identity/key=gateway-1.pub.pem", "/identity/key: gateway-1.pub.pem: key: expected a private key, for this one has to sign"},
    {"/identity/key=issuer.jwks", R"(/identity/key: issuer.jwks: key: expected PEM: a text with a line "-----BEGIN ...-----")"},
    {"/identity/key=issuer.pem", "/identity/key: issuer.pem: key: expected EdDSA: a key on the curve Ed25519"},
    {"/identity/key=half.pem",
     "/identity/key: half.pem: key: expected a private key in PEM that can be read, and the right password if it is encrypted"},
    {R"(/identity={"name": "a\tb", "key": "gateway-1.pem"})",
     "/identity/key: gateway-1.pem: message_key::id: expected a name in printable ASCII"},
    {R"(/routes={"quotes": 1})",
     "/routes/quotes: expected an object, found 1\ngateway.json: /routes/orders: expected an object, found nothing"},
};

int failures = 0;

void expect_complaint(std::string_view what, std::string_view expected, auto read)
{
    std::string said = "nothing";
    try {
        read();
    } catch (gateway::bad_config const& bad) {
        said = bad.what();
    }
    if (said == expected) return;
    ++failures;
    fmt::print("{}\n  expected: {}\n  said:     {}\n", what, expected, said);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        fmt::print(stderr, "usage: gateway_check_config gateway.json\n");
        return 2;
    }
    std::ifstream in(argv[1]);
    std::string const good(std::istreambuf_iterator<char>(in), {});

    gateway::demo_keys const keys;
    std::string const pem = keys.issuer.pair().private_pem();
    keys.write("empty", "");
    keys.write("large", std::string((1 << 20) + 1, ' '));
    keys.write("object", "{}");
    keys.write("none.jwks", R"({"keys":[]})");
    keys.write("secret.jwks", R"({"keys":[{"kty":"oct","kid":"a","k":"only-for-this-example-only-for-this-example"}]})");
    std::string const zero(43, 'A');
    keys.write("off_curve.jwks", fmt::format(R"({{"keys":[{{"kty":"EC","crv":"P-256","kid":"a","x":"{}","y":"{}"}}]}})", zero, zero));
    keys.write("issuer.pem", pem);
    keys.write("issuer.pub.pem", keys.issuer.pair().public_pem());
    keys.write("half.pem", pem.substr(0, pem.size() / 2));

    std::string const name = keys.path("gateway.json"); // beside which files are looked for
    auto const with = [&](std::string_view change) {
        std::vector<std::string> all = keys.settings();
        if (!change.empty()) all.emplace_back(change);
        static_cast<void>(gateway::parse_config(good, name, all));
    };
    expect_complaint("the file as it is, and keys", "nothing", [&] { with(""); });
    expect_complaint("one key in PEM, with a name and without", "nothing", [&] {
        for (std::string_view const kid : {"", R"(, "kid": "issuer-1")"})
            with(fmt::format(
                R"(/tokens={{"issuer": "i", "audience": "a", "leeway": "1s", "key": "gateway-1.pub.pem", "algorithm": "EdDSA"{}}})", kid));
    });
    for (auto const& [change, expected] : bad_changes) {
        std::string all = name + ": " + std::string(expected);
        if (auto const second = all.find("\ngateway.json"); second != std::string::npos) all.replace(second + 1, 12, name);
        expect_complaint(change, all, [&] { with(change); });
    }
    std::vector<std::string> const nowhere{"/listen/prot=1"};
    expect_complaint("a change of nothing",
                     "--set: /listen/prot=1: expected the path of a setting and its value, such as /listen/port=8080",
                     [&] { static_cast<void>(gateway::parse_config(good, "gateway.json", nowhere)); });
    expect_complaint("no JSON", "gateway.json: line 2, column 13: syntax error",
                     [] { static_cast<void>(gateway::parse_config("{\n  \"listen\": nowhere\n}", "gateway.json")); });
    expect_complaint("half a file", "gateway.json: line 1, column 2: incomplete JSON",
                     [] { static_cast<void>(gateway::parse_config("{", "gateway.json")); });
    expect_complaint("no file", "nowhere.json: cannot be read: No such file or directory",
                     [] { static_cast<void>(gateway::read_config("nowhere.json")); });

    fmt::print("{}\n", failures == 0 ? "all bad configurations are refused with the words expected" : "");
    return failures == 0 ? 0 : 1;
}
