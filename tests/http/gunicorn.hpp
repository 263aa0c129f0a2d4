// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/refusal.hpp>

#include <map>
#include <string_view>

/// Where RFC 9112 says otherwise than gunicorn, whose tests' requests stand in two folders, `valid` and `invalid`.
namespace weir_tests::gunicorn {

/// What stands in `valid` and RFC 9112 wants refused, or answered with an error, with its section.
inline std::map<std::string_view, std::string_view> const refused_though_valid{
    {"004.http", "3.2, HTTP/1.1 without Host"},
    {"005.http", "3.2, HTTP/1.1 without Host; a fragment in the target"},
    {"006.http", "3.2, HTTP/1.1 without Host"},
    {"007.http", "3.2, HTTP/1.1 without Host"},
    {"009.http", "3.2, HTTP/1.1 without Host; 6.1, identity is no transfer coding; a fragment in the target"},
    {"010.http", "3.2, HTTP/1.1 without Host"},
    {"011.http", "3.2, HTTP/1.1 without Host"},
    {"012.http", "3.2, HTTP/1.1 without Host"},
    {"013.http", "3.2, HTTP/1.1 without Host"},
    {"014.http", "3.2, HTTP/1.1 without Host; a quotation mark in the target"},
    {"018.http", "3.2, HTTP/1.1 without Host"},
    {"019.http", "3.2, the second is HTTP/1.1 without Host"},
    {"021.http", "3.2, HTTP/1.1 without Host"},
    {"022.http", "3.2, the second is HTTP/1.1 without Host"},
    {"023.http", "3.2, HTTP/1.1 without Host"},
    {"025.http", "3.2, HTTP/1.1 without Host; 6.1, a transfer coding that is not understood"},
    {"025_line.http", "3.2, HTTP/1.1 without Host; 6.1, a transfer coding that is not understood"},
    {"027.http", "3.2, the target has bytes beyond ASCII"},
    {"028.http", "5.1, white space between field name and colon; 3.2, HTTP/1.1 without Host"},
    {"029.http", "3.2, HTTP/1.1 without Host; 6.1, a transfer coding that is not understood"},
    {"030.http", "3.2, HTTP/1.1 without Host; 6.1, a transfer coding that is not understood"},
    {"031.http", "3.2, HTTP/1.1 without Host"},
    {"031compat.http", "3.2, HTTP/1.1 without Host"},
    {"031compat2.http", "3.2, HTTP/1.1 without Host"},
    {"099.http", "8, the body is shorter than Content-Length: incomplete"},
    {"100.http", "3.2, HTTP/1.1 without Host"},
    {"compat_obs_fold.http", "5.2, obsolete line folding"},
    {"compat_obs_fold_huge.http", "5.2, obsolete line folding"},
    {"pp_01.http", "3, a PROXY line is no request line"},
    {"pp_02.http", "3, a PROXY line is no request line"},
    {"pp_04.http", "3, a PROXY header is no request line"},
    {"pp_05.http", "3, a PROXY header is no request line"},
    {"rfc9112_smuggle_gzip_chunked_01.http", "6.1, a transfer coding that is not understood: 501"},
    {"rfc9112_smuggle_te_identity_chunked_01.http", "6.1, a transfer coding that is not understood: 501"},
};

/// What stands in `invalid` because it is beyond a limit that gunicorn's test sets: the same limit here.
inline std::map<std::string_view, weir::http::framing_limits> const beyond_limits{
    {"006.http", {.line_bytes = 4'094}},  {"007.http", {.field_bytes = 8'190}},
    {"008.http", {.field_bytes = 8'190}}, {"009.http", {.fields = 100}},
    {"010.http", {.field_bytes = 10}},    {"011.http", {.fields = 2}},
    {"012.http", {.field_bytes = 98}},    {"limit_header_default_01.http", {.field_bytes = 8'190}},
};

/// What stands in `valid` too, byte for byte: field names with an underscore, which RFC 9110 section 5.6.2 allows.
inline constexpr std::string_view stands_in_both = "040.http";

} // namespace weir_tests::gunicorn
