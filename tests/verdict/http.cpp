// SPDX-License-Identifier: BSL-1.0
//
// Reads cases as JSON lines, `{"id": N, "raw_b64": "..."}`, a raw stream from a client each, and answers each with one line:
// `{"id": N, "verdict": "accept" | "reject" | "incomplete", "n": complete requests before the end or the refusal}`.
// Each stream is fed whole, byte by byte and in random pieces; should they differ, the verdict is "differs". A line that is no
// case is answered with the verdict "error".
#include "../http/framed.hpp"

#include <weir/sign/encoding.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

namespace json = boost::json;
using weir_tests::frame;
using weir_tests::framed;

// Wide limits: the cases ask about grammar, not about size.
constexpr weir::http::framing_limits wide{
    .line_bytes = 1 << 17, .field_bytes = 1 << 17, .header_bytes = 1 << 18, .fields = 2'000, .body_bytes = 1 << 26};

void judge(std::string_view stream, json::object& answer)
{
    framed const whole = frame(stream, wide);
    bool same = true;
    for (unsigned cut = 1; cut <= 8; ++cut) same = same && frame(stream, wide, cut) == whole;
    constexpr char const* names[] = {"accept", "reject", "incomplete"};
    answer["verdict"] = same ? names[static_cast<int>(whole.found)] : "differs";
    answer["n"] = whole.complete;
    if (whole.found == framed::verdict::reject) answer["why"] = to_string(whole.why);
}

} // namespace

int main()
{
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        if (line.empty()) continue;
        json::object answer{{"id", nullptr}};
        try {
            json::value const given = json::parse(line);
            answer["id"] = given.at("id");
            auto const raw = weir::from_base64(given.at("raw_b64").as_string());
            if (!raw) throw std::invalid_argument("raw_b64 is not base64");
            judge(*raw, answer);
        } catch (std::exception const& e) {
            answer["verdict"] = "error";
            answer["why"] = e.what();
        }
        std::cout << json::serialize(answer) << std::endl;
    }
}
