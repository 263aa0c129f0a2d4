// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "certificates.hpp"

#include <weir/http/tls_context.hpp>

#include <stdexcept>
#include <string>

namespace weir_tests {

/// Where certificates lie, and who signs them.
struct tls_keys {
    scratch_folder folder;
    authority root;
    std::string root_file = folder.write("root.pem", root.pem());

    weir::http::tls_server_options issue(certificate_request const& wanted = {}, std::string const& name = "server")
    {
        certificate const made = root.issue(wanted);
        return {.certificate_file = folder.write(name + ".pem", made.pem), .key_file = folder.write(name + ".key", made.key)};
    }
};

/// What a bad file is refused with.
template<class F>
std::string refusal_of(F const& what)
{
    try {
        what();
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "nothing was refused";
}

} // namespace weir_tests
