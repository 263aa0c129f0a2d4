// SPDX-License-Identifier: BSL-1.0
#include <weir/core/mermaid.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct guard {
    using role = weir::gate;
    static constexpr std::string_view name = "guard";
    weir::admission<> admit(auto&) { return weir::admitted; }
    void describe(auto&& field) const
    {
        field("permits", 100u);
        field("per", weir::duration(1500ms));
    }
};
struct answers {
    using role = weir::source;
    static constexpr std::string_view name = "answers";
    void learn(auto&, weir::pass&, auto&) {}
};
struct seals {
    using role = weir::transform;
    static constexpr std::string_view name = "seals";
    void up(auto&, auto&) {}
    void describe(auto&& field) const { field("with", "a \"key\"; 50% [x]"); }
};

int one(int x)
{
    return x;
}

/// A parser of just the flowcharts that are drawn here: nodes with a form and a quoted label, links, boxes. Nothing if a line is
/// something else.
struct chart {
    std::map<std::string, std::string> labels; // decoded
    std::map<std::string, std::string> forms;
    std::vector<std::string> links; // "a --> b"
    std::set<std::string> boxes;
};

bool is_name(std::string_view text)
{
    if (text.empty() || text == "end") return false;
    for (char const c : text)
        if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))) return false;
    return true;
}

std::optional<std::string> decoded(std::string_view label)
{
    std::string out;
    for (std::size_t i = 0; i < label.size(); ++i) {
        char const c = label[i];
        if (label.substr(i).starts_with("<br/>")) {
            out += '|';
            i += 4;
        } else if (c == '#') {
            int number = 0;
            std::size_t const end = label.find(';', i);
            if (end == std::string_view::npos || end == i + 1) return std::nullopt;
            for (char const d : label.substr(i + 1, end - i - 1)) {
                if (d < '0' || d > '9') return std::nullopt;
                number = number * 10 + (d - '0');
            }
            if (number < 0x20 || number > 0x7e) return std::nullopt;
            out += static_cast<char>(number);
            i = end;
        } else if (static_cast<unsigned char>(c) < 0x20 || std::string_view("\"'`<>[]{}|\\%&;:*~").find(c) != std::string_view::npos)
            return std::nullopt;
        else
            out += c;
    }
    return out;
}

std::optional<chart> parse(std::string_view text)
{
    chart all;
    if (!text.starts_with("flowchart TD\n")) return std::nullopt;
    text.remove_prefix(13);
    int depth = 0;
    while (!text.empty()) {
        std::size_t const end = text.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (line == "end") {
            if (--depth < 0) return std::nullopt;
            continue;
        }
        bool const box = line.starts_with("subgraph ");
        if (box) {
            line.remove_prefix(9);
            ++depth;
        }
        std::size_t const quote = line.find('"');
        if (quote == std::string_view::npos) {
            for (std::string_view const arrow : {" --> ", " -.- "})
                if (std::size_t const at = line.find(arrow); at != std::string_view::npos) {
                    std::string const from(line.substr(0, at)), to(line.substr(at + arrow.size()));
                    if (!all.labels.contains(from) || !is_name(to)) return std::nullopt;
                    all.links.emplace_back(line);
                    line = {};
                }
            if (!line.empty()) return std::nullopt;
            continue;
        }
        std::size_t const last = line.rfind('"');
        std::size_t const bracket = line.find_first_of("[({");
        std::string const name(line.substr(0, bracket));
        auto const label = decoded(line.substr(quote + 1, last - quote - 1));
        std::string const form = std::string(line.substr(bracket, quote - bracket)) + std::string(line.substr(last + 1));
        if (!is_name(name) || !label || all.labels.contains(name)) return std::nullopt;
        if (box)
            all.boxes.insert(name);
        else if (!std::set<std::string>{"{{}}", "[()]", "()", "[//]", "[[]]", "([])"}.contains(form))
            return std::nullopt;
        all.labels[name] = *label;
        all.forms[name] = form;
    }
    if (depth != 0) return std::nullopt;
    return all;
}

} // namespace

TEST_CASE("mermaid: names, labels, roles and settings in order; a directive hangs beside")
{
    weir::pipeline svc{weir::timed_by{weir::steady{}}, weir::named<"per tenant">(guard{}), answers{}, seals{}, one};
    CHECK(weir::mermaid(weir::describe(svc)) ==
          "flowchart TD\n"
          "    request([\"request\"])\n"
          "    policy0[[\"timed_by<br/>directive\"]]\n"
          "    request -.- policy0\n"
          "    policy1{{\"guard #34;per tenant#34;<br/>gate<br/>permits = 100<br/>per = 1500ms\"}}\n"
          "    request --> policy1\n"
          "    policy2[(\"answers<br/>source\")]\n"
          "    policy1 --> policy2\n"
          "    policy3[/\"seals<br/>transform<br/>with = #34;a #34;key#34;#59; 50#37; #91;x#93;#34;\"/]\n"
          "    policy2 --> policy3\n"
          "    handler([\"handler\"])\n"
          "    policy3 --> handler\n");
}

TEST_CASE("mermaid: a pipeline without policies is its handler")
{
    weir::pipeline svc{one};
    CHECK(weir::mermaid(weir::describe(svc)) ==
          "flowchart TD\n    request([\"request\"])\n    handler([\"handler\"])\n    request --> handler\n");
}

TEST_CASE("mermaid: several pipelines, a box each")
{
    weir::pipeline first{guard{}, one};
    weir::pipeline second{one};
    weir::mermaid_chart drawn;
    drawn.add("quotes [v1]", weir::describe(first)).add("end", weir::describe(second));
    CHECK(drawn.text() == "flowchart TD\n"
                          "    subgraph pipeline0[\"quotes #91;v1#93;\"]\n"
                          "        pipeline0_request([\"request\"])\n"
                          "        pipeline0_policy0{{\"guard<br/>gate<br/>permits = 100<br/>per = 1500ms\"}}\n"
                          "        pipeline0_request --> pipeline0_policy0\n"
                          "        pipeline0_handler([\"handler\"])\n"
                          "        pipeline0_policy0 --> pipeline0_handler\n"
                          "    end\n"
                          "    subgraph pipeline1[\"end\"]\n"
                          "        pipeline1_request([\"request\"])\n"
                          "        pipeline1_handler([\"handler\"])\n"
                          "        pipeline1_request --> pipeline1_handler\n"
                          "    end\n");
    auto const read = parse(drawn.text());
    REQUIRE(read);
    CHECK(read->boxes == std::set<std::string>{"pipeline0", "pipeline1"});
    CHECK(read->links.size() == 3);
}

TEST_CASE("mermaid: whatever the texts are, each label is well-formed and reads back")
{
    std::mt19937_64 random(11);
    std::vector<std::string> const nasty{"\"", "]",   "%%{init: {}}%%", "<script>", "`",        "#", "#34;", ";", "\n", "end",
                                         "\\", "-->", "&amp;",          "\x01",     "\xc3\xa4", "|", "a",    " "};
    std::vector<std::string> const roles{"gate", "source", "loop", "transform", "directive"};
    auto const text = [&] {
        std::string s;
        for (auto n = random() % 6; n-- != 0;) s += nasty[random() % nasty.size()];
        return s;
    };
    for (int round = 0; round < 2'000; ++round) {
        std::string const name = text(), label = text(), field = text(), value = text(), title = text();
        std::string const role = roles[random() % roles.size()];
        weir::description d;
        d.policies.push_back({name, label, role, {{field, weir::setting_value(value)}}});
        auto const read = parse(weir::mermaid_chart().add(title, d).text());
        REQUIRE(read);
        auto const shown = [](std::string s) { // controls as they are written
            for (std::size_t at; (at = s.find('\n')) != std::string::npos;) s.replace(at, 1, "\\u000a");
            for (std::size_t at; (at = s.find('\x01')) != std::string::npos;) s.replace(at, 1, "\\u0001");
            return s;
        };
        CHECK(read->labels.at("pipeline0") == shown(title));
        CHECK(read->labels.at("pipeline0_policy0") ==
              shown(name + (label.empty() ? "" : " \"" + label + '"') + '|' + role + '|' + field + " = \"" + value + '"'));
        CHECK(read->links.size() == 2);
    }
}

TEST_CASE("mermaid: the parser of this test refuses what is not well-formed")
{
    CHECK(parse("flowchart TD\n    a([\"x\"])\n"));
    CHECK_FALSE(parse("flowchart TD\n    a([\"x\"y\"])\n"));
    CHECK_FALSE(parse("flowchart TD\n    a[\"x\"]]\n"));
    CHECK_FALSE(parse("flowchart TD\n    end([\"x\"])\n"));
    CHECK_FALSE(parse("flowchart TD\n    a([\"x#3\"])\n"));
    CHECK_FALSE(parse("flowchart TD\n    a --> b\n"));
    CHECK_FALSE(parse("flowchart TD\n    end\n"));
}
