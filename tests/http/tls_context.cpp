// SPDX-License-Identifier: BSL-1.0
#include <weir/http/tls_context.hpp>

#include "tls_keys.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

using weir_tests::refusal_of;
using weir_tests::tls_keys;
namespace http = weir::http;

namespace {

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("tls_context: what is wrong with a file is said with its name")
{
    tls_keys k;
    auto const good = k.issue();
    auto const server = [&](http::tls_server_options o) { return refusal_of([&] { http::tls_server_context{o}; }); };
    auto const client = [&](http::tls_client_options o) { return refusal_of([&] { http::tls_client_context{o}; }); };
    CHECK(server({.certificate_file = "/nowhere/a.pem", .key_file = good.key_file}) ==
          "certificate_file: /nowhere/a.pem: expected a file that can be read, but: No such file or directory");
    CHECK(
        has(server({.certificate_file = good.key_file, .key_file = good.key_file}), "at least one certificate in PEM, but there is none"));
    CHECK(has(server({.certificate_file = good.certificate_file, .key_file = good.certificate_file}), "key_file: "));
    CHECK(has(server(k.issue({.ends = -1}, "old")), "old.pem: expected a certificate in force, but it has expired"));
    CHECK(has(server(k.issue({.begins = 3'600}, "new")), "new.pem: expected a certificate in force, but it begins later"));
    auto mutual = good;
    mutual.client_ca_file = k.folder.write("empty.pem", "");
    CHECK(has(server(mutual), "client_ca_file: " + k.folder.path("empty.pem") + ": expected at least one certificate"));
    CHECK(has(client({.ca_file = "/nowhere"}), "ca_file: /nowhere: "));
    CHECK(has(client({.certificate_file = *good.certificate_file}), "certificate_file, key_file: expected both or neither"));
    std::string const encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGbMFcG\n-----END ENCRYPTED PRIVATE KEY-----\n";
    CHECK(has(server({.certificate_file = good.certificate_file, .key_file = k.folder.write("locked.key", encrypted)}),
              "locked.key: expected a private key in PEM that is not encrypted"));
}

TEST_CASE("tls_context: copies share what is in force; connections that have begun keep what they have")
{
    tls_keys k;
    http::tls_server_context const first(k.issue());
    http::tls_server_context second = first;
    auto const begun = first.make();
    REQUIRE(begun != nullptr);
    auto const serial = [](SSL* s) { return ASN1_INTEGER_get(X509_get0_serialNumber(SSL_get_certificate(s))); };
    long const before = serial(begun.get());
    k.issue(); // over the same files
    second.reload();
    CHECK(serial(begun.get()) == before);
    CHECK(serial(first.make().get()) != before);
    CHECK(*first.settings().certificate_file == *second.settings().certificate_file);
}

TEST_CASE("tls_context: it is reloaded while other threads begin connections")
{
    tls_keys k;
    http::tls_server_context context(k.issue());
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([context] {
            for (int n = 0; n < 200; ++n) CHECK(context.make() != nullptr);
        });
    for (int n = 0; n < 5; ++n) context.reload();
    for (auto& t : threads) t.join();
}
