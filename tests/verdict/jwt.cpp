// SPDX-License-Identifier: BSL-1.0
//
// Reads cases as JSON lines, `{"id": N, "token": "...", "policy": {...}, "jwks": "name"}`, and answers each with one line:
// `{"id": N, "verdict": "valid" | "invalid", "why": "..."}`. The first argument is a file with the sets of keys by name; the clock is
// `policy.now`. Each token is verified twice by one verifier: should the second time differ, the verdict is "differs".
#include <weir/sign/jwt_verifier.hpp>
#include <weir/sign/key_set.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace json = boost::json;

std::string text_of(json::value const& v)
{
    return {v.as_string().data(), v.as_string().size()};
}

std::vector<weir::jws_algorithm> algorithms_of(json::array const& names)
{
    std::vector<weir::jws_algorithm> made;
    for (int i = 0; i <= static_cast<int>(weir::jws_algorithm::ed448); ++i)
        for (json::value const& name : names)
            if (auto const a = static_cast<weir::jws_algorithm>(i); to_string(a) == text_of(name)) made.push_back(a);
    return made;
}

std::string verdict_of(weir::jwt_verdict const& v)
{
    return std::string(to_string(v.fault)) + (v.claim.empty() ? "" : " ") + std::string(v.claim);
}

void judge(json::value const& given, json::object const& sets, json::object& answer)
{
    json::object const& policy = given.at("policy").as_object();
    weir::jwt_options options{.issuer = text_of(policy.at("iss")), .audience = text_of(policy.at("aud")), .require = {}, .principal = ""};
    options.leeway = std::chrono::seconds(policy.at("leeway").to_number<std::int64_t>());
    for (json::value const& name : policy.at("require").as_array()) options.require.push_back(text_of(name));
    if (policy.at("typ").is_string()) options.type = text_of(policy.at("typ"));
    if (auto const* const most = policy.if_contains("max_token"); most != nullptr && !most->is_null())
        options.max_bytes = most->to_number<std::size_t>();
    weir::wall_time const now{std::chrono::seconds(policy.at("now").to_number<std::int64_t>())};

    weir::key_set<> const keys(json::serialize(sets.at(text_of(given.at("jwks")))),
                               {.algorithms = algorithms_of(policy.at("algs").as_array())});
    weir::jwt_verifier<weir::key_set<>> verifier(options);
    std::string const token = text_of(given.at("token"));
    auto const first = verifier.verify(token, keys, now), again = verifier.verify(token, keys, now);
    bool const same = first.fault == again.fault && bool(again) == again.remembered;
    answer["verdict"] = !same ? "differs" : first ? "valid" : "invalid";
    answer["why"] = verdict_of(first);
}

} // namespace

int main(int count, char** arguments)
{
    std::ios::sync_with_stdio(false);
    if (count < 2) {
        std::cerr << "usage: jwt KEY_SETS.json <CASES.jsonl\n";
        return 2;
    }
    std::ifstream file(arguments[1]);
    json::value sets;
    try {
        sets = json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    } catch (std::exception const& e) {
        std::cerr << arguments[1] << ": " << e.what() << '\n';
        return 2;
    }
    for (std::string line; std::getline(std::cin, line);) {
        if (line.empty()) continue;
        json::object answer{{"id", nullptr}};
        try {
            json::value const given = json::parse(line);
            answer["id"] = given.at("id");
            judge(given, sets.as_object(), answer);
        } catch (std::exception const& e) {
            answer["verdict"] = "invalid"; // no keys, or a case that cannot be read: nothing verifies
            answer["why"] = e.what();
        }
        std::cout << json::serialize(answer) << std::endl;
    }
}
