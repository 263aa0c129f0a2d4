// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/catalogue.hpp>
#include <weir/validate/json_options.hpp>
#include <weir/validate/read_json.hpp>
#include <weir/validate/violation.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

/// Adds the sentences of a JSON text, `{"a number from {0} to {1}": "eine Zahl von {0} bis {1}", ...}`, to a catalogue; what is wrong with the text, or with a
/// sentence of it, comes back, and then none was added: `read_catalogue(text, "de", messages)`.
[[nodiscard]] inline violations read_catalogue(std::string_view json, std::string_view language, catalogue& into,
                                               json_options const& options = {})
{
    std::map<std::string, std::string> sentences;
    violations wrong = read_json(json, sentences, options);
    if (!wrong.empty()) return wrong;
    std::vector<message> messages;
    messages.reserve(sentences.size());
    for (auto const& [id, text] : sentences) messages.push_back({id, text});
    try {
        into.add(language, messages);
    } catch (std::invalid_argument const& e) {
        wrong.add({"catalogue", std::string(language), e.what()});
    }
    return wrong;
}

} // namespace weir::inline v0
