// SPDX-License-Identifier: BSL-1.0
//
// Judges public files of cases by itself: `jws wycheproof FILE...`, `jws cookbook FILE...`, `jws json FILE...`. Prints what it got wrong, then
// "N passed, N failed".
//
// Wycheproof has 401 cases of JSON Web Signatures, of which 393 are beyond dispute. On the other eight weir takes this stance:
//
// | tcId     | Wycheproof says | weir says | why                                                                                     |
// |----------|-----------------|-----------|-----------------------------------------------------------------------------------------|
// | 346, 350 | valid           | invalid   | the key says `PS256`, the header `PS384`: the algorithm is the key's                    |
// | 347, 351 | valid           | invalid   | the key's `alg` is `ES521`, and there is no such algorithm (RFC 7518 section 3.1)       |
// | 367, 370 | invalid         | valid     | "invalid padding": the bytes are those of 357, which is valid, and there is no padding  |
// | 372, 373 | valid           | invalid   | a character that is not of the alphabet in header or payload (RFC 7515 section 2)       |
#include <weir/sign/jwk.hpp>
#include <weir/sign/jws.hpp>
#include <weir/validate/strict_json.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using enum weir::jws_algorithm;
constexpr std::array all{hs256, hs384, hs512, rs256, rs384, rs512, ps256, ps384, ps512, es256, es384, es512, ed25519, ed448};
constexpr weir::strict_json_limits wide{.bytes = 1 << 26, .levels = 64, .values = 1 << 20};

int passed = 0, failed = 0;

void judge(bool good, std::string_view what, std::string_view why = {})
{
    ++(good ? passed : failed);
    if (!good) std::cout << "wrong: " << what << ": " << why << '\n';
}

std::string contents(char const* path)
{
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

/// A value as JSON again: keys in these files have texts and lists of texts only.
std::string written(weir::json_view v)
{
    std::string out;
    if (auto const text = v.text()) {
        weir::detail::append_json_text(out, *text);
        return out;
    }
    for (weir::json_view each : v) {
        out += out.empty() ? "" : ",";
        if (v.is_object()) {
            weir::detail::append_json_text(out, each.name());
            out += ':';
        }
        out += written(each);
    }
    return v.is_object() ? "{" + out + "}" : "[" + out + "]";
}

void wycheproof(weir::json_view file)
{
    constexpr std::array contested{346, 347, 350, 351, 367, 370, 372, 373};
    for (weir::json_view group : file["testGroups"]) {
        std::optional<weir::jws_key> key;
        std::string why;
        try {
            key.emplace(weir::read_jwk(written(group["public"] ? group["public"] : group["private"]), all));
        } catch (std::invalid_argument const& e) {
            why = e.what();
        }
        for (weir::json_view test : group["tests"]) {
            auto const id = test["tcId"].integer().value_or(0);
            auto const fault = key ? weir::open_jws(*key, test["jws"].text().value_or("")).fault : weir::token_fault::unknown_key;
            bool const disputed = std::ranges::find(contested, id) != contested.end();
            bool const valid = (test["result"].text() == "valid") != disputed;
            judge((fault == weir::token_fault::none) == valid, "case " + std::to_string(id), std::string(to_string(fault)) + " " + why);
        }
    }
}

void cookbook(weir::json_view file)
{
    weir::json_view const input = file["input"], output = file["output"];
    auto const title = std::string(file["title"].text().value_or("a key"));
    auto const named = std::ranges::find_if(all, [&](auto a) {
        auto const curve = input["key"]["crv"].text();
        return to_string(a) == input["alg"].text() && (!curve || *curve == weir::detail::facts_of(a).crv);
    });
    auto const payload = input["payload"].text();
    weir::json_view const flat = output["json_flat"];
    // A key, something encrypted, or a header outside of what is signed: not the compact serialization.
    if (named == all.end() || !payload || !(output["compact"] || flat["protected"]) || flat["header"]) return;
    weir::secret<> const key(written(input["key"]));
    weir::jws_key const verifies = weir::read_jwk(key.reveal(), *named);
    weir::jws_signer const signs = weir::read_signing_jwk(key, *named);
    bool const reproducible = file["reproducible"].boolean().value_or(false);

    std::string const parts =
        std::string(flat["protected"].text().value_or("")) + ".." + std::string(flat["signature"].text().value_or(""));
    bool const encoded = !file["signing"]["protected"]["b64"];
    // The file of RFC 7797 section 4.2 is from a draft: its header has no "crit", without which "b64" must not be used (section 6).
    bool const draft = parts.starts_with("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2V9.");
    auto const expected = draft ? weir::token_fault::critical : weir::token_fault::none;
    if (flat) judge(weir::verify_detached_jws(verifies, parts, *payload) == expected, title, "detached");
    if (flat && reproducible && !draft)
        judge(weir::sign_detached_jws(signs, *payload, {.encoded = encoded}) == parts, title, "signed detached");
    auto const compact = output["compact"].text();
    if (!compact || compact->find("..") != compact->npos) return;
    auto const opened = weir::open_jws(verifies, *compact);
    judge(opened && opened.payload == *payload, title, to_string(opened.fault));
    if (reproducible) judge(weir::sign_jws(signs, *payload, {.encoded = encoded}) == *compact, title, "signed");
    auto const again = weir::open_jws(verifies, weir::sign_jws(signs, *payload));
    judge(again && again.payload == *payload, title, "signed anew");
}

} // namespace

int main(int count, char** arguments)
{
    std::string_view const what = count > 1 ? arguments[1] : "";
    for (int i = 2; i < count; ++i) {
        std::string const path = arguments[i];
        weir::strict_json file;
        auto const fault = file.read(contents(arguments[i]), wide);
        std::string_view const name = std::string_view(path).substr(path.rfind('/') + 1);
        if (what == "json") {
            // y_ has to be read, n_ has to be refused, i_ may be either.
            // A duplicate member is grammatical, but two readers read it differently (RFC 8259 section 4).
            bool const duplicate = name.starts_with("y_object_duplicated_key");
            if (duplicate)
                judge(fault == weir::strict_json_fault::duplicate_member, name);
            else if (!name.starts_with("i_"))
                judge((fault == weir::strict_json_fault::none) == name.starts_with("y_"), name);
        } else if (fault != weir::strict_json_fault::none) {
            judge(false, name, "no strict JSON");
        } else {
            what == "wycheproof" ? wycheproof(file.root()) : cookbook(file.root());
        }
    }
    std::cout << passed << " passed, " << failed << " failed\n";
    return passed > 0 && failed == 0 ? 0 : 1;
}
