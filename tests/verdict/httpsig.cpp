// SPDX-License-Identifier: BSL-1.0
//
// Reads cases as JSON lines and answers each with one line: `{"id": N, "verdict": "valid" | "invalid"}`, on valid ones `base`, the signature base,
// on others `why`. A case has `raw_b64`, a request or a response (`kind`); `req_raw_b64`, the request that a response answers; and `policy`: now,
// max_age, skew, scheme, label, required, required_params, verify_digest. The first argument names the file of keys, by their names: alg, and
// secret_b64 or public_pem. A line that is no case is answered with the verdict "invalid".
#include "../sign/raw_message.hpp"

#include <weir/sign/encoding.hpp>
#include <weir/sign/http_signature.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
using weir_tests::raw_reader;

weir::signature_algorithm algorithm(std::string_view name)
{
    for (int a = 0; a < 6; ++a) {
        auto const one = static_cast<weir::signature_algorithm>(a);
        if (to_string(one) == name) return one;
    }
    throw std::invalid_argument("no such algorithm: " + std::string(name));
}

weir::message_keys<weir::confined> read_keys(char const* path)
{
    std::ifstream in(path);
    if (!in) throw std::invalid_argument(std::string("cannot read ") + path);
    json::value const all = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
    std::vector<weir::message_key> keys;
    for (auto const& [id, key] : all.as_object()) {
        auto const a = algorithm(std::string_view(key.at("alg").as_string()));
        if (a == weir::signature_algorithm::hmac_sha256) {
            auto bytes = weir::from_base64(key.at("secret_b64").as_string());
            if (!bytes) throw std::invalid_argument("secret_b64 is not base64");
            keys.push_back({std::string(id), weir::signature_key(weir::secret<>(std::move(*bytes)))});
        } else {
            keys.push_back({std::string(id), weir::signature_key(a, std::string_view(key.at("public_pem").as_string()))});
        }
    }
    return weir::message_keys<weir::confined>(std::move(keys));
}

std::string bytes_of(json::value const& text)
{
    auto bytes = weir::from_base64(text.as_string());
    if (!bytes) throw std::invalid_argument("it is not base64");
    return *std::move(bytes);
}

std::vector<std::string> texts(json::value const& list)
{
    std::vector<std::string> out;
    for (json::value const& v : list.as_array()) out.emplace_back(v.as_string());
    return out;
}

weir::message_check judge(json::object const& given, weir::message_keys<weir::confined> const& keys)
{
    json::object const& policy = given.at("policy").as_object();
    auto const seconds = [&](char const* name, std::int64_t otherwise) {
        json::value const* const v = policy.if_contains(name);
        return std::chrono::seconds(v == nullptr || v->is_null() ? otherwise : v->to_number<std::int64_t>());
    };
    auto const text = [&](char const* name) {
        json::value const* const v = policy.if_contains(name);
        return v == nullptr || v->is_null() ? std::string() : std::string(v->as_string());
    };
    constexpr std::int64_t ten_years = 3650 * 86'400;
    weir::http_signature const signature(
        {.components = texts(policy.at("required")),
         .parameters = texts(policy.at("required_params")),
         .body = policy.at("verify_digest").as_bool() ? weir::body_rule::checked : weir::body_rule::ignored,
         .label = text("label"),
         .tag = text("tag"),
         .scheme = text("scheme"),
         .max_age = seconds("max_age", ten_years),
         .skew = seconds("skew", 0)});
    weir::wall_time const now(seconds("now", 0));
    weir::message_check const unreadable{.fault = weir::message_fault::malformed, .where = "the message"};

    std::string const raw = bytes_of(given.at("raw_b64"));
    weir_tests::raw_request request;
    if (given.at("kind").as_string() == "request") {
        return raw_reader(raw).read(request) ? signature.verify(request, keys, now) : unreadable;
    }
    weir_tests::raw_response response;
    if (!raw_reader(raw).read(response)) return unreadable;
    if (!given.contains("req_raw_b64") || given.at("req_raw_b64").is_null()) return signature.verify(response, keys, now);
    std::string const asked = bytes_of(given.at("req_raw_b64"));
    if (!raw_reader(asked).read(request)) return unreadable;
    return signature.verify_answer(response, request, keys, now);
}

} // namespace

int main(int argc, char** argv)
try {
    std::ios::sync_with_stdio(false);
    if (argc != 2) throw std::invalid_argument("usage: httpsig KEYS.json <CASES.jsonl");
    weir::message_keys<weir::confined> const keys = read_keys(argv[1]);
    for (std::string line; std::getline(std::cin, line);) {
        if (line.empty()) continue;
        json::object answer{{"id", nullptr}, {"verdict", "invalid"}};
        try {
            json::value const given = json::parse(line);
            answer["id"] = given.at("id");
            weir::message_check const found = judge(given.as_object(), keys);
            if (found) {
                answer["verdict"] = "valid";
                answer["base"] = found.base;
            } else {
                answer["why"] = std::string(to_string(found.fault)) + " " + found.where;
            }
        } catch (std::exception const& e) {
            answer["why"] = e.what();
        }
        std::cout << json::serialize(answer) << std::endl;
    }
} catch (std::exception const& e) {
    std::cerr << "httpsig: " << e.what() << '\n';
    return 1;
}
