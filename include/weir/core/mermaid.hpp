// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/describe.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::inline v0 {

namespace detail {

/// A text inside a quoted label. Letters, digits, some marks and what is beyond ASCII stay; every other character is written as its number,
/// `#34;`, so that none of them ends the label, begins a directive (`%%{`), or is read as Markdown; a control character as `\u000a`.
[[nodiscard]] inline std::string mermaid_escaped(std::string_view text)
{
    constexpr std::string_view plain = " _-.,=()+/", digits = "0123456789abcdef";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        bool const word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (word || byte >= 0x80 || plain.find(c) != std::string_view::npos)
            out += c;
        else if (byte < 0x20 || byte == 0x7f)
            ((out += "#92;u00") += digits[byte >> 4]) += digits[byte & 15];
        else
            ((out += '#') += std::to_string(byte)) += ';';
    }
    return out;
}

} // namespace detail

/// A drawing of pipelines as a Mermaid flowchart, which GitHub, GitLab and many editors show: `mermaid(describe(svc))` of one, or
/// `mermaid_chart` of several, each in a box with its name. A box a policy, the outermost first, with its name, label, role and settings;
/// the form tells the role: a gate is a hexagon, a source a cylinder, a loop round, a transform slanted. A directive takes part in no
/// call and hangs beside it. Texts are taken to be UTF-8. Allocates; for operators, not for calls.
class mermaid_chart {
public:
    mermaid_chart& add(std::string_view name, description const& pipeline)
    {
        std::string const box = "pipeline" + std::to_string(boxes_++);
        text_ += "    subgraph " + box + "[\"" + detail::mermaid_escaped(name) + "\"]\n";
        draw(pipeline, box + '_', "        ");
        text_ += "    end\n";
        return *this;
    }
    mermaid_chart& add(description const& pipeline)
    {
        std::string const prefix = boxes_ == 0 ? std::string() : "pipeline" + std::to_string(boxes_) + '_';
        ++boxes_;
        draw(pipeline, prefix, "    ");
        return *this;
    }
    [[nodiscard]] std::string const& text() const noexcept { return text_; }

private:
    struct form {
        std::string_view begin, end;
    };
    static form form_of(std::string_view role) noexcept
    {
        if (role == detail::role_name<gate>) return {"{{\"", "\"}}"};
        if (role == detail::role_name<source>) return {"[(\"", "\")]"};
        if (role == detail::role_name<loop>) return {"(\"", "\")"};
        if (role == detail::role_name<transform>) return {"[/\"", "\"/]"};
        return {"[[\"", "\"]]"};
    }

    void draw(description const& pipeline, std::string const& prefix, std::string_view indent)
    {
        ((text_ += indent) += prefix) += "request([\"request\"])\n";
        std::string before = prefix + "request";
        for (std::size_t i = 0; i < pipeline.policies.size(); ++i) {
            policy_description const& p = pipeline.policies[i];
            std::string const node = prefix + "policy" + std::to_string(i);
            form const f = form_of(p.role);
            (((text_ += indent) += node) += f.begin) += label_of(p);
            (text_ += f.end) += '\n';
            bool const beside = p.role == detail::role_name<directive>;
            (((text_ += indent) += beside ? prefix + "request" : before) += beside ? " -.- " : " --> ") += node + '\n';
            if (!beside) before = node;
        }
        ((text_ += indent) += prefix) += "handler([\"handler\"])\n";
        (((text_ += indent) += before) += " --> ") += prefix + "handler\n";
    }
    static std::string label_of(policy_description const& p)
    {
        std::string label = detail::mermaid_escaped(p.name);
        if (!p.label.empty()) label += ' ' + detail::mermaid_escaped('"' + std::string(p.label) + '"');
        (label += "<br/>") += detail::mermaid_escaped(p.role);
        for (setting const& s : p.settings) {
            std::string const value = detail::text_of_value(s.value);
            label += "<br/>" + detail::mermaid_escaped(s.name + " = " + value);
        }
        return label;
    }

    std::string text_ = "flowchart TD\n";
    std::size_t boxes_ = 0;
};

/// One pipeline as a flowchart: `std::cout << weir::mermaid(weir::describe(svc));`.
[[nodiscard]] inline std::string mermaid(description const& pipeline)
{
    return mermaid_chart().add(pipeline).text();
}

} // namespace weir::inline v0
