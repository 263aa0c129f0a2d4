// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

namespace weir_tests {

/// The files of a folder of public test vectors by name; none if they are not here. They are looked for in WEIR_VECTORS, else
/// in shared/vectors beside the project.
inline std::map<std::string, std::string> vectors(std::string_view folder)
{
    namespace fs = std::filesystem;
    char const* const given = std::getenv("WEIR_VECTORS");
    fs::path const root = given != nullptr ? fs::path(given) : fs::path(__FILE__).parent_path() / "../../../shared/vectors";
    std::map<std::string, std::string> files;
    std::error_code absent;
    for (auto const& entry : fs::directory_iterator(root / folder, absent)) {
        std::ifstream file(entry.path(), std::ios::binary);
        files[entry.path().filename().string()].assign(std::istreambuf_iterator<char>(file), {});
    }
    return files;
}

/// Gunicorn's notation: line ends of the file mean nothing, `\r`, `\n`, `\t`, `\0` and `\xNN` are written literally.
inline std::string unescape(std::string_view text)
{
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') continue;
        if (text[i] != '\\' || i + 1 == text.size()) {
            made += text[i];
            continue;
        }
        switch (text[++i]) {
        case 'r': made += '\r'; break;
        case 'n': made += '\n'; break;
        case 't': made += '\t'; break;
        case '0': made += '\0'; break;
        case 'x':
            made += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
            break;
        default: made += text[i]; break;
        }
    }
    return made;
}

} // namespace weir_tests
