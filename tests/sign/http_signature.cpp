// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/http_signature.hpp>

#include "fresh_keys.hpp"
#include "raw_message.hpp"
#include "vectors.hpp"
#include "wall.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using weir::http_signature;
using weir::message_fault;
using weir_tests::raw_request;
using weir_tests::raw_response;
using enum weir::signature_algorithm;

namespace {

weir::wall_time const now{1'700'000'000'000ms};
using keys_type = weir::message_keys<weir::confined>;

keys_type const& keys()
{
    static keys_type const all({{"shop", weir::signature_key(weir::secret{"only-for-tests-0123456789"})}});
    return all;
}

raw_request order()
{
    raw_request r;
    r.method = "POST";
    r.target = "/orders?dry=1";
    r.fields = {{"Host", "Bank.example"}, {"Content-Type", "application/json"}, {"X-A", "1"}, {"X-A", "2"}};
    r.body = R"({"symbol":"ACME","quantity":3})";
    return r;
}
raw_request signed_order(http_signature const& scheme)
{
    raw_request r = order();
    REQUIRE(scheme.sign(r, keys(), now, "n-1"));
    return r;
}
std::string field(weir_tests::raw_message const& m, std::string_view name)
{
    return std::string(weir_header(m, name).value_or(""));
}

std::string crlf(std::string const& text)
{
    std::string out;
    for (char const c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

constexpr char const* rfc_request = "POST /foo?param=Value&Pet=dog HTTP/1.1\r\n"
                                    "Host: example.com\r\n"
                                    "Date: Tue, 20 Apr 2021 02:07:55 GMT\r\n"
                                    "Content-Type: application/json\r\n"
                                    "Content-Length: 18\r\n"
                                    "\r\n"
                                    "{\"hello\": \"world\"}";

} // namespace

TEST_CASE("http_signature: RFC 9421, appendix B.2.5, to the byte")
{
    raw_request r;
    REQUIRE(weir_tests::raw_reader(rfc_request).read(r));
    auto secret = weir::from_base64("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==");
    keys_type const shared({{"test-shared-secret", weir::signature_key(weir::secret<>(std::move(*secret)))}});
    http_signature const scheme({.components = {"date", "@authority", "content-type"},
                                 .parameters = {"created", "keyid"},
                                 .body = weir::body_rule::ignored,
                                 .label = "sig-b25"});
    weir::wall_time const created{1'618'884'473s};
    REQUIRE(scheme.sign(r, shared, created));
    CHECK(field(r, "signature-input") == R"(sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret")");
    CHECK(field(r, "signature") == "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:");
    CHECK(scheme.verify(r, shared, created));
}

TEST_CASE("http_signature: all six messages of RFC 9421, appendix B.2")
{
    auto const folder = weir_tests::vectors("rfc9421");
    if (folder.empty()) return;
    auto const text = [&](std::string const& name) { return weir_tests::contents(folder / name); };
    auto secret = weir::from_base64(text("test-shared-secret"));
    REQUIRE(secret.has_value());
    keys_type const all({{"test-key-rsa-pss", weir::signature_key(rsa_pss_sha512, text("test-key-rsa-pss.key"))},
                         {"test-key-ecc-p256", weir::signature_key(ecdsa_p256_sha256, text("test-key-ecc-p256.key"))},
                         {"test-key-ed25519", weir::signature_key(ed25519, text("test-key-ed25519.key"))},
                         {"test-shared-secret", weir::signature_key(weir::secret<>(std::move(*secret)))}});
    CHECK(weir::signature_key(rsa_v1_5_sha256, text("test-key-rsa.pub"))
              .verify("text", weir::signature_key(rsa_v1_5_sha256, text("test-key-rsa.key")).sign("text")));
    CHECK(weir::signature_key(ecdsa_p384_sha384, text("test-key-ecc-p384.pub"))
              .verify("text", weir::signature_key(ecdsa_p384_sha384, text("test-key-ecc-p384.key")).sign("text")));
    weir::wall_time const created{1'618'884'473s};
    for (std::string const name : {"b21_request", "b22_request", "b23_request", "b24_response", "b25_request", "b26_request"}) {
        http_signature const scheme({.components = {}, .parameters = {"created", "keyid"}, .body = weir::body_rule::checked, .label = ""});
        std::string const raw = crlf(text(name + "_signed.txt")), base = text(name + "_sigbase.txt");
        raw_request r;
        raw_response a;
        bool const is_request = name != "b24_response";
        bool const readable = is_request ? weir_tests::raw_reader(raw).read(r) : weir_tests::raw_reader(raw).read(a);
        REQUIRE(readable);
        // The files end in a line feed more than the bodies.
        (is_request ? r.body : a.body).resize(is_request ? 18 : 23);
        auto const found = is_request ? scheme.verify(r, all, created) : scheme.verify(a, all, created);
        CHECK_MESSAGE(found, name, ": ", std::string(to_string(found.fault)), " ", found.where);
        CHECK(found.base == base);
        if (is_request) r.body[3] = 'X';
        if (name == "b22_request" || name == "b23_request") CHECK(!scheme.verify(r, all, created));
    }
    raw_request r;
    REQUIRE(weir_tests::raw_reader(rfc_request).read(r));
    http_signature const b26({.components = {"date", "@method", "@path", "@authority", "content-type", "content-length"},
                              .parameters = {"created", "keyid"},
                              .body = weir::body_rule::ignored,
                              .label = "sig-b26",
                              .key = "test-key-ed25519"});
    REQUIRE(b26.sign(r, all, created));
    CHECK(field(r, "signature") == "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:");
}

TEST_CASE("http_signature: what one end signs the other verifies, by every algorithm, requests and responses")
{
    for (auto const a : {rsa_pss_sha512, rsa_v1_5_sha256, ecdsa_p256_sha256, ecdsa_p384_sha384, ed25519}) {
        keys_type const own({{"k", weir::signature_key(a, weir_tests::fresh_pair(a).private_key)}});
        keys_type const theirs({{"k", weir::signature_key(a, weir_tests::fresh_pair(a).public_key)}});
        http_signature const scheme({.parameters = {"created", "expires", "keyid", "alg", "nonce"}, .tag = "orders"});
        raw_request r = order();
        REQUIRE(scheme.sign(r, own, now, "n-1"));
        auto const found = scheme.verify(r, theirs, now);
        REQUIRE(found);
        CHECK(found.signer == "k");
        CHECK(found.unique == "n-1");
        CHECK(found.signed_at == now);
        CHECK(found.base.find("alg=\"" + std::string(to_string(a)) + '"') != std::string::npos);

        http_signature const answers({.components = {"@status", "@method;req", "@target-uri;req", "signature;req;key=\"sig1\""}});
        raw_response answer;
        answer.body = "{}";
        REQUIRE(answers.sign_answer(answer, r, own, now, "n-2"));
        CHECK(answers.verify_answer(answer, r, theirs, now));
        CHECK(answers.verify(answer, theirs, now).fault == message_fault::missing);
        raw_request other = r;
        other.target = "/orders?dry=2";
        CHECK(answers.verify_answer(answer, other, theirs, now).fault == message_fault::wrong_signature);
    }
}

TEST_CASE("http_signature: a change of what is covered is found, one of what is not is not")
{
    http_signature const scheme({.components = {"@method", "@target-uri", "content-type", "x-a"}});
    raw_request const good = signed_order(scheme);
    auto const after = [&](auto change) {
        raw_request r = good;
        change(r);
        return scheme.verify(r, keys(), now).fault;
    };
    CHECK(after([](raw_request&) {}) == message_fault::none);
    CHECK(after([](raw_request& r) { r.method = "post"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.target += "&admin=1"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.target = "/./orders?dry=1"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.target = "/%6frders?dry=1"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields[0].second = "evil.example"; }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields[0] = {"hOST", "bank.EXAMPLE:443"}; }) == message_fault::none); // the same host
    CHECK(after([](raw_request& r) { r.fields.emplace_back("host", "bank.example"); }) == message_fault::missing);
    CHECK(after([](raw_request& r) { r.fields[1].first = "CONTENT-type"; }) == message_fault::none);
    CHECK(after([](raw_request& r) { std::swap(r.fields[2], r.fields[3]); }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields.emplace_back("x-a", "3"); }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields.erase(r.fields.begin() + 3); }) == message_fault::wrong_signature);
    CHECK(after([](raw_request& r) { r.fields[2].second = "1\r\n\t"; }) != message_fault::none);
    CHECK(after([](raw_request& r) { r.fields.erase(r.fields.begin() + 1); }) == message_fault::missing);
    CHECK(after([](raw_request& r) { r.fields.emplace_back("x-b", "3"); }) == message_fault::none);
    CHECK(after([](raw_request& r) { r.body += ' '; }) == message_fault::wrong_digest);
    CHECK(after([](raw_request& r) { r.body.clear(); }) == message_fault::wrong_digest);
}

TEST_CASE("http_signature: the case of a header's name does not count, on either side")
{
    http_signature const scheme({.components = {"@method", "content-type", "x-a", "@authority"}, .if_present = {"x-extra"}});
    raw_request const r = signed_order(scheme);
    for (bool const upper : {true, false}) {
        raw_request other = r;
        for (auto& [name, value] : other.fields)
            for (char& c : name) c = static_cast<char>(upper ? std::toupper(c) : std::tolower(c));
        CHECK(scheme.verify(other, keys(), now));
        other.fields.emplace_back(upper ? "x-extra" : "X-EXTRA", "1");
        CHECK(scheme.verify(other, keys(), now).fault == message_fault::not_covered);
        other.fields.pop_back();
        other.fields.emplace_back(upper ? "x-A" : "X-a", "3");
        CHECK(scheme.verify(other, keys(), now).fault == message_fault::wrong_signature);
    }
}

TEST_CASE("http_signature: a digest that is swapped, stale, dropped or doubled is found")
{
    http_signature const scheme;
    raw_request const good = signed_order(scheme);
    raw_request swapped = good;
    swapped.body = "evil";
    weir_set_header(swapped, "content-digest", weir::content_digest("evil"));
    CHECK(scheme.verify(swapped, keys(), now).fault == message_fault::wrong_signature);
    raw_request dropped = good;
    std::erase_if(dropped.fields, [](auto const& f) { return f.first == "Content-Digest"; });
    CHECK(scheme.verify(dropped, keys(), now).fault == message_fault::missing);
    raw_request doubled = good;
    doubled.fields.emplace_back("content-digest", weir::content_digest("evil"));
    CHECK(scheme.verify(doubled, keys(), now).fault == message_fault::wrong_signature);

    // Signed without its body: whoever wants bodies covered refuses it.
    http_signature const careless({.body = weir::body_rule::ignored});
    raw_request uncovered = order();
    REQUIRE(careless.sign(uncovered, keys(), now, "n"));
    CHECK(careless.verify(uncovered, keys(), now));
    auto const found = scheme.verify(uncovered, keys(), now);
    CHECK(found.fault == message_fault::not_covered);
    CHECK(found.where == "content-digest");
    raw_request empty = order();
    empty.body.clear();
    REQUIRE(careless.sign(empty, keys(), now, "n"));
    CHECK(scheme.verify(empty, keys(), now));
    empty.body = "added";
    CHECK(scheme.verify(empty, keys(), now).fault == message_fault::not_covered);
}

TEST_CASE("http_signature: what has to be covered, and the parameters that have to be there")
{
    http_signature const less({.components = {"@method"}});
    raw_request const r = signed_order(less);
    auto const missing = [&](weir::http_signature_options o) {
        auto const found = http_signature(std::move(o)).verify(r, keys(), now);
        return std::string(to_string(found.fault)) + " " + found.where;
    };
    CHECK(missing({.components = {"@method"}}) == "none ");
    CHECK(missing({}) == "not_covered \"@target-uri\"");
    CHECK(missing({.components = {"@method;req"}}) == "not_covered \"@method\";req");
    CHECK(missing({.components = {"@method"}, .parameters = {"expires"}}) == "missing expires");
    CHECK(missing({.components = {"@method"}, .tag = "orders"}) == "not_covered tag");
    CHECK(missing({.components = {"@method"}, .label = "sig2"}) == "missing label sig2");
}

TEST_CASE("http_signature: fields that are covered where they are there")
{
    http_signature const scheme({.components = {"@method", "x-a"}, .if_present = {"x-mark", "x-a", "content-type"}});
    auto const fault = [&](raw_request const& r) {
        auto const found = scheme.verify(r, keys(), now);
        return std::string(to_string(found.fault)) + " " + found.where;
    };
    raw_request const without = signed_order(scheme);
    CHECK(field(without, "signature-input").starts_with(R"(sig1=("@method" "x-a" "content-type" "content-digest");)"));
    CHECK(fault(without) == "none ");
    raw_request added = without;
    added.fields.emplace_back("X-Mark", "");
    CHECK(fault(added) == "not_covered \"x-mark\"");

    raw_request marked = order();
    marked.fields.emplace_back("X-Mark", "1");
    REQUIRE(scheme.sign(marked, keys(), now, "n-1"));
    CHECK(fault(marked) == "none ");
    raw_request changed = marked, doubled = marked, stripped = marked;
    weir_set_header(changed, "x-mark", "2");
    CHECK(fault(changed).starts_with("wrong_signature"));
    doubled.fields.emplace_back("x-mark", "2");
    CHECK(fault(doubled).starts_with("wrong_signature"));
    std::erase_if(stripped.fields, [](auto const& f) { return f.first == "X-Mark"; });
    CHECK(fault(stripped).starts_with("missing"));
    std::string input = field(stripped, "signature-input");
    input.erase(input.find(" \"x-mark\""), 9);
    weir_set_header(stripped, "signature-input", input);
    CHECK(fault(stripped).starts_with("wrong_signature"));
    // Who covers it in another form covers it; one member of it is not all of it.
    for (auto const& [form, right] : {std::pair{"x-mark;bs", true}, {"x-mark;key=\"a\"", false}}) {
        raw_request r = order();
        r.fields.emplace_back("X-Mark", "a=1, b=2");
        REQUIRE(http_signature({.components = {"@method", "x-a", "content-type", form}}).sign(r, keys(), now, "n-1"));
        CHECK((fault(r) == "none ") == right);
    }
}

TEST_CASE("http_signature: time")
{
    http_signature const scheme({.parameters = {"created", "expires", "keyid"}, .max_age = 300s, .skew = 60s, .expires = 100s});
    raw_request const r = signed_order(scheme);
    CHECK(scheme.verify(r, keys(), now - 60s));
    CHECK(scheme.verify(r, keys(), now - 61s).fault == message_fault::early); // the clock went back, or theirs is ahead
    CHECK(scheme.verify(r, keys(), now + 160s));
    CHECK(scheme.verify(r, keys(), now + 161s).where == "expires");
    http_signature const patient({.max_age = 300s, .skew = 60s});
    raw_request const plain = signed_order(patient);
    CHECK(patient.verify(plain, keys(), now + 360s));
    CHECK(patient.verify(plain, keys(), now + 361s).fault == message_fault::late);
    CHECK(patient.verify(plain, keys(), weir::wall_time::min()).fault != message_fault::none);
}

TEST_CASE("http_signature: labels are not confused, and several signatures stand beside each other")
{
    http_signature const first({.label = "first"}),
        second({.components = {"signature;key=\"first\""}, .body = weir::body_rule::ignored, .label = "proxy"});
    raw_request r = signed_order(first);
    CHECK(first.sign(r, keys(), now, "n").where == "label first"); // taken
    REQUIRE(second.sign(r, keys(), now, "n-2"));
    CHECK(first.verify(r, keys(), now));
    CHECK(second.verify(r, keys(), now));

    // The label of one, the bytes of the other.
    std::string const inputs = field(r, "signature-input"), signatures = field(r, "signature");
    auto const with = [&](std::string input, std::string signature) {
        raw_request other = r;
        weir_set_header(other, "signature-input", input);
        weir_set_header(other, "signature", signature);
        return http_signature({.label = ""}).verify(other, keys(), now).fault;
    };
    CHECK(with(inputs, signatures) == message_fault::none);
    auto const comma = signatures.find(", ");
    std::string const swapped = "first=" + signatures.substr(comma + 2 + 6) + ", proxy=" + signatures.substr(6, comma - 6);
    CHECK(with(inputs, swapped) == message_fault::wrong_signature);
    CHECK(with(inputs, "other=:AAAA:") == message_fault::missing);
    CHECK(with(inputs, "first=:AAAA:, first=:AAAA:") == message_fault::malformed);
    CHECK(with(inputs, "first=\"AAAA\"") == message_fault::malformed);
    CHECK(with("first=1", signatures) == message_fault::malformed);
    CHECK(with(inputs + ", first=()", signatures) == message_fault::malformed);
    CHECK(with("", signatures) == message_fault::missing);
    raw_request twice = r;
    twice.fields.emplace_back("Signature-Input", "first=(\"@method\");created=1");
    CHECK(first.verify(twice, keys(), now).fault == message_fault::malformed);
}

TEST_CASE("http_signature: hostile inputs are refused, not believed")
{
    http_signature const any({.components = {}, .parameters = {}, .body = weir::body_rule::ignored, .label = ""});
    auto const judged = [&](std::string input, std::string signature = "s=:AAAA:") {
        raw_request r = order();
        weir_set_header(r, "signature-input", input);
        weir_set_header(r, "signature", signature);
        return any.verify(r, keys(), now).fault;
    };
    std::string const created = ";created=1700000000;keyid=\"shop\"";
    CHECK(judged("s=()" + created) == message_fault::wrong_signature);
    CHECK(judged("s=()" + created, "s=::") == message_fault::wrong_signature);
    CHECK(judged("s=()" + created + ";alg=\"ed25519\"") == message_fault::unknown_key); // the key says which algorithm, not the message
    CHECK(judged("s=()" + created + ";alg=\"none\"") == message_fault::unknown_key);
    CHECK(judged("s=();keyid=\"nobody\"") == message_fault::unknown_key);
    CHECK(judged("s=()") == message_fault::unknown_key);
    CHECK(judged("s=();created=\"1700000000\"") == message_fault::malformed);
    CHECK(judged("s=();created=1.5") == message_fault::malformed);
    CHECK(judged("s=();keyid=shop") == message_fault::malformed);
    CHECK(judged("s=();created=1700000000;created=1") == message_fault::malformed);
    CHECK(judged("s=();created=999999999999999") == message_fault::early);
    CHECK(judged("s=();created=-999999999999999") == message_fault::late);
    CHECK(judged("s=(\"@method\" \"@method\")" + created) == message_fault::malformed);
    CHECK(judged("s=(\"x-a\";sf;req \"x-a\";req;sf)" + created) == message_fault::malformed);
    CHECK(judged("s=(\"@signature-params\")" + created) == message_fault::malformed);
    CHECK(judged("s=(\"X-A\")" + created) == message_fault::malformed);
    CHECK(judged("s=(x-a)" + created) == message_fault::malformed);
    CHECK(judged("s=(\"@status\")" + created) == message_fault::missing);
    CHECK(judged("s=(\"absent\")" + created) == message_fault::missing);
    std::string many = "s=(";
    for (int i = 0; i < 65; ++i) many += " \"h" + std::to_string(i) + "\"";
    CHECK(judged(many + ")" + created) == message_fault::malformed);
}

TEST_CASE("http_signature: one bit changed never verifies")
{
    http_signature const scheme({.components = {"@method", "@target-uri", "content-type", "x-a"}});
    raw_request const good = signed_order(scheme);
    std::mt19937_64 random(1);
    for (int i = 0; i < 2'000; ++i) {
        raw_request r = good;
        std::vector<std::string*> parts{&r.method, &r.target, &r.body};
        for (auto& [name, value] : r.fields)
            if (name != "Host") parts.push_back(&value);
        std::string& part = *parts[random() % parts.size()];
        std::string const before = part;
        part[random() % part.size()] ^= static_cast<char>(1 << random() % 8);
        // White space around a value and the case of a base's own fields are no part of what is signed.
        auto const found = scheme.verify(r, keys(), now);
        if (found) FAIL("changed from ", before, " to ", part, " and taken");
    }
}

TEST_CASE("http_signature: bad options are refused by name")
{
    auto const refusal = [](weir::http_signature_options o) -> std::string {
        try {
            http_signature const scheme(std::move(o));
            return {};
        } catch (std::invalid_argument const& e) {
            return e.what();
        }
    };
    CHECK(refusal({}) == "");
    CHECK(refusal({.components = {"Host"}}) == "component Host: expected a field name or a derived component of RFC 9421");
    CHECK(refusal({.components = {"host", "host"}}) == "components: expected each component once");
    CHECK(refusal({.if_present = {"@path"}}) == "if_present: expected names of fields");
    CHECK(refusal({.if_present = {"x-a;key=\"b\""}}) == "if_present: expected names of fields");
    CHECK(refusal({.components = {}, .if_present = std::vector<std::string>(64, "x-a")}) ==
          "components: expected less than 64 with those of if_present");
    CHECK(refusal({.parameters = {"exp"}}) == "parameters: expected created, expires, nonce, alg, keyid or tag");
    CHECK(refusal({.parameters = {"tag"}}) == "tag: expected a text, as it is one of the parameters");
    CHECK(refusal({.label = "Sig"}) == "label: expected lower-case letters, digits, _ - . *");
    CHECK(refusal({.scheme = ""}) == "scheme: expected https or http");
    CHECK(refusal({.max_age = -1s}) == "max_age: expected 0 to 3650 days");
}

TEST_CASE("http_signature: without a key or a component nothing is signed")
{
    raw_request r = order();
    CHECK(http_signature().sign(r, keys_type(), now).fault == message_fault::unknown_key);
    CHECK(http_signature({.components = {"absent"}}).sign(r, keys(), now).where == "\"absent\"");
    CHECK(!weir_header(r, "signature"));
}
