// SPDX-License-Identifier: BSL-1.0
// Lesson 8: is it really the bank, and who is it that asks?
//
// A server that speaks TLS shows a certificate, and its client believes it only if somebody it trusts has signed it for that very host.
// Where the server wants to know, too, the client shows one of its own (mutual TLS). Certificates are renewed while the server runs.
#include "../tests/http/certificates.hpp" // makes what you get from your authority
#include "lesson.hpp"

#include <weir/http/tls.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// The bank says who it is that it talks to.
asio::awaitable<http::response> greet(http::request& r)
{
    co_return http::response(http::status::ok, "good morning, " + std::string(r.peer_identity()));
}

/// Asks once: what came back, or what went wrong.
std::string ask(asio::io_context& context, http::upstream const& bank, http::tls_client_context const& trust)
{
    http::tls_client client(context.get_executor(), trust);
    std::string said;
    auto const talk = [&]() -> asio::awaitable<void> {
        http::client_failure failure;
        http::request const r("GET", "/");
        auto const came = co_await client.send(bank, r, {.failure = &failure});
        said = came ? came->body() : failure.text();
    };
    bool ended = false;
    asio::co_spawn(context, talk(), [&](std::exception_ptr) { ended = true; });
    while (!ended) context.run_one();
    return said;
}

} // namespace

int main()
{
    lesson eight("TLS");

    // Papers for the lesson: an authority, and what it has signed for the bank.
    weir_tests::scratch_folder const papers;
    weir_tests::authority const authority("the bank's authority");
    std::string const roots = papers.write("roots.pem", authority.pem());
    auto const issue = [&](std::string const& names) {
        auto const made = authority.issue({.common_name = "bank", .names = names});
        papers.write("bank.pem", made.pem);
        papers.write("bank.key", made.key);
    };
    issue("DNS:localhost");

    // The server: its certificate, its key, and whom it trusts to know its clients.
    asio::io_context context(1);
    http::tls_server_context tls(
        {.certificate_file = papers.path("bank.pem"), .key_file = papers.path("bank.key"), .client_ca_file = roots});
    http::tls_server server(context.get_executor(), &greet, tls);
    http::upstream const bank("localhost", server.port());

    auto const till = authority.issue({.common_name = "till-7", .names = "DNS:till-7.shop"});
    http::tls_client_options const shop{
        .ca_file = roots, .certificate_file = papers.write("till.pem", till.pem), .key_file = papers.write("till.key", till.key)};
    std::string const greeted = ask(context, bank, http::tls_client_context(shop));
    eight.shows("both sides know each other: " + greeted, greeted == "good morning, CN=till-7");

    std::string const stranger = ask(context, bank, http::tls_client_context({.ca_file = roots}));
    eight.shows("who shows nothing is not let in: " + stranger, stranger.find("certificate required") != std::string::npos);

    http::upstream const by_number("127.0.0.1", server.port());
    std::string const elsewhere = ask(context, by_number, http::tls_client_context(shop));
    eight.shows("a certificate is for its host: " + elsewhere, elsewhere.find(": handshake: ") != std::string::npos);

    std::string const unknown = ask(context, bank, http::tls_client_context({}));
    eight.shows("and signed by somebody who is trusted: " + unknown, unknown.find(": handshake: ") != std::string::npos);

    // Renewed while it runs. A bad file changes nothing, and says what is wrong with it.
    papers.write("bank.pem", "not a certificate");
    std::string refused;
    try {
        tls.reload();
    } catch (std::invalid_argument const& e) {
        refused = e.what();
    }
    eight.shows("a bad file is refused: " + refused, refused.find("certificate_file") == 0);
    eight.shows("and the old certificate stays", ask(context, bank, http::tls_client_context(shop)) == greeted);
    issue("DNS:localhost,IP:127.0.0.1");
    tls.reload();
    eight.shows("the renewed one is for the number, too", ask(context, by_number, http::tls_client_context(shop)) == greeted);
    return eight.exit_status();
}
