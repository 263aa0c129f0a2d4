// SPDX-License-Identifier: BSL-1.0
#include <weir/http/tls.hpp>

#include "loopback.hpp"
#include "tls_keys.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using weir_tests::authority;
using weir_tests::certificate;
using weir_tests::raw_client;
using weir_tests::refusal_of;
using weir_tests::run;
using weir_tests::tls_keys;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// Says back who asked for what.
asio::awaitable<http::response> echo(http::request& r)
{
    std::string said(weir::method(r));
    said.append(" ").append(weir::target(r)).append(" <").append(r.peer_identity()).append("> ").append(weir::body(r));
    co_return http::response(http::status::ok, std::move(said));
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

/// A server of weir and a client that trusts its root.
struct served {
    tls_keys files;
    asio::io_context context{1};
    http::tls_server_context tls;
    http::tls_server server;
    http::tls_client_context trust{{.ca_file = files.root_file}};

    explicit served(http::server_options const& o = {}, weir_tests::certificate_request const& wanted = {})
        : tls(files.issue(wanted)), server(context.get_executor(), &echo, tls, o)
    {
    }
    weir::result<http::response> ask(http::tls_client& client, http::request const& r, std::string const& host = "127.0.0.1")
    {
        http::upstream const to(host, server.port());
        return run(context, client.send(to, r));
    }
    weir::result<http::response> ask(http::request const& r = http::request("GET", "/"), std::string const& host = "127.0.0.1")
    {
        http::tls_client client(context.get_executor(), trust);
        return ask(client, r, host);
    }
};

/// The other implementation of TLS: Asio's. A server for one connection, which answers one request with what it is told to.
struct asio_peer {
    asio::io_context context{1};
    asio::ssl::context tls{asio::ssl::context::tls_server};
    asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    std::string heard;
    std::string name; ///< that the client asked for
    std::string protocol;
    http::client_failure failure;

    explicit asio_peer(certificate const& shown, std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    {
        tls.use_certificate_chain(asio::buffer(shown.pem));
        tls.use_private_key(asio::buffer(shown.key), asio::ssl::context::pem);
        SSL_CTX_set_alpn_select_cb(
            tls.native_handle(),
            [](SSL*, unsigned char const** out, unsigned char* size, unsigned char const* in, unsigned, void* self) {
                *out = in + 1;
                *size = in[0];
                static_cast<asio_peer*>(self)->protocol.assign(reinterpret_cast<char const*>(*out), *size);
                return SSL_TLSEXT_ERR_OK;
            },
            this);
        asio::co_spawn(context, serve(*this, std::move(answer)), [](std::exception_ptr) {});
    }
    static asio::awaitable<void> serve(asio_peer& self, std::string answer)
    {
        asio::ssl::stream<asio::ip::tcp::socket> stream(co_await self.acceptor.async_accept(asio::use_awaitable), self.tls);
        co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        if (char const* const asked = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name)) self.name = asked;
        char bytes[4096];
        while (!has(self.heard, "\r\n\r\n"))
            self.heard.append(bytes, co_await stream.async_read_some(asio::buffer(bytes), asio::use_awaitable));
        co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
        // And without TLS's own end.
    }
    weir::result<http::response> ask(http::tls_client_context const& trust, std::string const& host = "127.0.0.1")
    {
        http::tls_client client(context.get_executor(), trust);
        http::upstream const to(host, acceptor.local_endpoint().port());
        http::request const r("GET", "/");
        return run(context, client.send(to, r, {.failure = &failure}));
    }
    /// What went wrong, without the address.
    [[nodiscard]] std::string why() const { return failure.text().substr(failure.upstream.size() + 2); }
};

/// Asio's TLS as a client of a server: what the handshake came to, and what it heard.
std::pair<boost::system::error_code, std::string> call(asio::io_context& context, std::uint16_t port, asio::ssl::context& tls,
                                                       std::string_view stream)
{
    auto const talk = [&]() -> asio::awaitable<std::pair<boost::system::error_code, std::string>> {
        asio::ssl::stream<asio::ip::tcp::socket> s(context, tls);
        s.next_layer().connect({asio::ip::address_v4::loopback(), port});
        boost::system::error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        co_await s.async_handshake(asio::ssl::stream_base::client, token);
        std::string heard;
        if (!failed) co_await asio::async_write(s, asio::buffer(stream), token);
        char bytes[4096];
        while (!failed) heard.append(bytes, co_await s.async_read_some(asio::buffer(bytes), token));
        co_return std::pair(failed, heard);
    };
    return run(context, talk());
}

} // namespace

TEST_CASE("tls: requests and answers pass, large ones too, and the connection is kept")
{
    served s;
    http::tls_client client(s.context.get_executor(), s.trust);
    auto const first = s.ask(client, http::request("GET", "/one"));
    REQUIRE(first.has_value());
    CHECK(first->body() == "GET /one <> ");
    std::string const large(900'000, 'x');
    auto const second = s.ask(client, http::request("PUT", "/two", large));
    REQUIRE(second.has_value());
    CHECK(second->body() == "PUT /two <> " + large);
    CHECK(s.ask(client, http::request("POST", "/three"))->body() == "POST /three <> "); // on a connection that is known to be quiet
    CHECK(s.server.stats().accepted == 1);
}

TEST_CASE("tls: a certificate for another host is refused, one for the name or the address is not")
{
    served by_name({}, {.names = "DNS:localhost"});
    CHECK(by_name.ask(http::request("GET", "/"), "localhost").has_value());
    CHECK(by_name.ask().error() == weir::errc::unavailable);
    served by_address({}, {.names = "IP:127.0.0.1"});
    CHECK(by_address.ask().has_value());
    CHECK(by_address.ask(http::request("GET", "/"), "localhost").error() == weir::errc::unavailable);
    served by_subject({}, {.common_name = "localhost", .names = ""}); // which counts no more
    CHECK(by_subject.ask(http::request("GET", "/"), "localhost").error() == weir::errc::unavailable);
    CHECK(by_subject.server.stats().requests == 0);
}

TEST_CASE("tls: certificates that have expired, begin later, or that nobody trusted has signed are refused")
{
    tls_keys k;
    http::tls_client_context const trust({.ca_file = k.root_file});
    CHECK(asio_peer(k.root.issue()).ask(trust)->body() == "ok");
    asio_peer expired(k.root.issue({.begins = -7'200, .ends = -3'600}));
    CHECK(expired.ask(trust).error() == weir::errc::unavailable);
    asio_peer early(k.root.issue({.begins = 3'600}));
    CHECK(early.ask(trust).error() == weir::errc::unavailable);
    asio_peer untrusted(authority("another root").issue());
    CHECK(untrusted.ask(trust).error() == weir::errc::unavailable);
    asio_peer by_the_system(k.root.issue());
    CHECK(by_the_system.ask(http::tls_client_context({})).error() == weir::errc::unavailable);
    CHECK(expired.why() == "handshake: certificate has expired");
    CHECK(early.why() == "handshake: certificate is not yet valid");
    CHECK(untrusted.why() == "handshake: unable to get local issuer certificate");
    CHECK(expired.heard + early.heard + untrusted.heard + by_the_system.heard == "");
}

TEST_CASE("tls: the client tells the name it wants, but no address, and speaks http/1.1")
{
    tls_keys k;
    http::tls_client_context const trust({.ca_file = k.root_file});
    asio_peer named(k.root.issue());
    CHECK(named.ask(trust, "localhost").has_value());
    CHECK(named.name == "localhost");
    CHECK(named.protocol == "http/1.1");
    asio_peer numbered(k.root.issue());
    CHECK(numbered.ask(trust).has_value());
    CHECK(numbered.name.empty());
}

TEST_CASE("tls: an answer that ends with the connection needs TLS's own end")
{
    tls_keys k;
    asio_peer cut(k.root.issue(), "HTTP/1.1 200 OK\r\n\r\nuntil the e");
    CHECK(cut.ask(http::tls_client_context({.ca_file = k.root_file})).error() == weir::errc::upstream_failed);
    CHECK(cut.why() == "body: the connection was cut: it ended without TLS's own end");
}

TEST_CASE("tls: Asio's client is served, from TLS 1.2 on")
{
    served s;
    std::string const request = "GET /asio HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (auto const version : {asio::ssl::context::tlsv12, asio::ssl::context::tlsv13}) {
        asio::ssl::context tls(version);
        tls.load_verify_file(s.files.root_file);
        tls.set_verify_mode(asio::ssl::verify_peer);
        auto const [failed, heard] = call(s.context, s.server.port(), tls, request);
        CHECK(has(heard, "GET /asio"));
        CHECK(failed == asio::error::eof); // its own end, not a cut
    }
    asio::ssl::context old(asio::ssl::context::tlsv11);
    SSL_CTX_set_security_level(old.native_handle(), 0);
    CHECK(call(s.context, s.server.port(), old, request).first);
    asio::ssl::context other(asio::ssl::context::tls);
    unsigned char const h2[] = {2, 'h', '2'};
    SSL_CTX_set_alpn_protos(other.native_handle(), h2, sizeof h2);
    CHECK(call(s.context, s.server.port(), other, request).first);
    CHECK(s.server.stats().requests == 2);
    CHECK(s.server.stats().refused == 2);

    s.tls.reconfigure({.certificate_file = s.files.folder.path("server.pem"),
                       .key_file = s.files.folder.path("server.key"),
                       .minimum = http::tls_version::v1_3});
    asio::ssl::context twelve(asio::ssl::context::tlsv12);
    CHECK(call(s.context, s.server.port(), twelve, request).first);
    CHECK(s.ask().has_value());
}

TEST_CASE("tls: with mutual authentication a client has to show a certificate, and the handler knows whose it is")
{
    served s;
    authority clients("clients' root"), others("others' root");
    auto options = s.tls.settings();
    options.client_ca_file = s.files.folder.write("clients.pem", clients.pem());
    s.tls.reconfigure(options);

    auto const client_of = [&](certificate const& shown) {
        return http::tls_client_context({.ca_file = s.files.root_file,
                                         .certificate_file = s.files.folder.write("client.pem", shown.pem),
                                         .key_file = s.files.folder.write("client.key", shown.key)});
    };
    CHECK(s.ask().has_error());
    s.trust = client_of(others.issue({.common_name = "till-7"}));
    CHECK(s.ask().has_error());
    certificate const old = clients.issue({.common_name = "till-7", .ends = -10});
    asio::ssl::context expired(asio::ssl::context::tls_client);
    expired.use_certificate_chain(asio::buffer(old.pem));
    expired.use_private_key(asio::buffer(old.key), asio::ssl::context::pem);
    CHECK(call(s.context, s.server.port(), expired, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").second.empty());
    CHECK(s.server.stats().requests == 0);
    CHECK(s.server.stats().refused == 3);
    s.trust = client_of(clients.issue({.common_name = "till-7, \xc3\xa9\n"}));
    auto const let_in = s.ask();
    REQUIRE(let_in.has_value());
    CHECK(let_in->body() == "GET / <CN=till-7\\, \xc3\xa9\\0A> ");
}

TEST_CASE("tls: certificates are reloaded for new connections, and a bad file leaves the old ones in force")
{
    served s;
    http::tls_client before(s.context.get_executor(), s.trust);
    CHECK(s.ask(before, http::request("GET", "/")).has_value());

    s.files.folder.write("server.pem", "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n");
    std::string const why = refusal_of([&] { s.tls.reload(); });
    CHECK(has(why, "certificate_file: " + s.files.folder.path("server.pem") + ": expected certificates in PEM, but: "));
    CHECK(s.ask().has_value());

    authority const renewed("renewed root");
    certificate const next = renewed.issue();
    s.files.folder.write("server.pem", next.pem);
    CHECK(has(refusal_of([&] { s.tls.reload(); }), "key_file: " + s.files.folder.path("server.key") +
                                                       ": expected the key of the certificate in " + s.files.folder.path("server.pem")));
    CHECK(s.ask().has_value());
    s.files.folder.write("server.key", next.key);
    s.tls.reload();
    CHECK(s.ask().has_error());
    CHECK(s.ask(before, http::request("GET", "/")).has_value()); // runs on
    s.files.folder.write("root.pem", renewed.pem());
    s.trust.reload();
    CHECK(s.ask().has_value());
}

TEST_CASE("tls: plain HTTP is told to come by https, and what is neither is cut")
{
    served s;
    std::string const answer = weir_tests::talk(s.context, s.server.port(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(has(answer, "this port speaks TLS: the request has to come by https"));
    CHECK_FALSE(has(weir_tests::talk(s.context, s.server.port(), "\x16\x03\x01 rubbish rubbish rubbish"), "HTTP/1.1"));
    CHECK_FALSE(has(weir_tests::talk(s.context, s.server.port(), ""), "HTTP/1.1"));
    CHECK(s.server.stats().requests == 0);
    CHECK(s.ask().has_value());
}

TEST_CASE("tls: a handshake that does not end is cut, and a drain does not wait for it")
{
    served s({.header_time = 200ms});
    for (std::string const begun : {"", "\x16\x03\x01", "\x16\x03\x01\x01\x00\x01"}) {
        raw_client stuck(s.context, s.server.port());
        auto const wait = [&](raw_client& c) -> asio::awaitable<std::string> {
            co_await c.send(begun);
            co_return co_await c.receive();
        };
        CHECK(run(s.context, wait(stuck)).empty());
    }
    CHECK(s.server.stats().timed_out == 3);
    CHECK(s.ask().has_value());

    served patient;
    raw_client stuck(patient.context, patient.server.port());
    auto const drained = [&]() -> asio::awaitable<std::string> {
        co_await stuck.send("\x16\x03");
        while (patient.server.stats().open < 1) co_await asio::post(patient.context, asio::use_awaitable);
        patient.server.drain();
        co_return co_await stuck.receive();
    };
    CHECK(run(patient.context, drained()).empty());
    patient.context.restart();
    patient.context.run_for(20s);
    CHECK(patient.context.stopped());
}

TEST_CASE("tls: a client that meets plain HTTP, or silence, or a plain client that meets TLS, is told")
{
    tls_keys k;
    asio::io_context context(1);
    http::server plain(context.get_executor(), &echo);
    asio::ip::tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
    http::tls_client_context const trust({.ca_file = k.root_file});
    http::tls_client client(context.get_executor(), trust);
    http::tls_client impatient(context.get_executor(), trust, {.connect_time = 50ms});
    http::client_failure failure;
    http::request const r("GET", "/");
    http::upstream const to_plain("127.0.0.1", plain.port());
    CHECK(run(context, client.send(to_plain, r, {.failure = &failure})).error() == weir::errc::unavailable);
    CHECK(failure.text() == to_plain.address() + ": handshake: what came is no TLS");
    http::upstream const to_silent("127.0.0.1", silent.local_endpoint().port());
    CHECK(run(context, impatient.send(to_silent, r, {.failure = &failure})).error() == weir::errc::unavailable);
    CHECK(failure.text() == to_silent.address() + ": handshake: " + make_error_code(asio::error::timed_out).message());
    CHECK(client.stats().open + impatient.stats().open == 0);

    served s;
    http::client naive(s.context.get_executor());
    http::upstream const to_tls("127.0.0.1", s.server.port());
    auto const told = run(s.context, naive.send(to_tls, r));
    REQUIRE(told.has_value());
    CHECK(told->result_int() == 400);
    CHECK(has(told->body(), "the request has to come by https"));
}

TEST_CASE("tls: bodies are streamed both ways, and a handshake is cancelled with its request")
{
    served s;
    http::tls_client client(s.context.get_executor(), s.trust);
    http::upstream const to("127.0.0.1", s.server.port());
    std::string const large(300'000, 'x');
    auto const pieces = [&](http::body_writer& out) -> asio::awaitable<weir::result<void>> {
        for (int i = 0; i < 3; ++i)
            if (auto const sent = co_await out.write(large); !sent) co_return sent.error();
        co_return weir::result<void>();
    };
    http::outgoing_body body{pieces};
    auto const talk = [&]() -> asio::awaitable<std::string> {
        http::request const r("PUT", "/");
        auto came = co_await client.stream(to, r, body);
        std::string all;
        for (;;) {
            weir::result<std::string_view> const piece = co_await came->body().read();
            if (!piece || piece->empty()) co_return all;
            all += *piece;
        }
    };
    CHECK(run(s.context, talk()) == "PUT / <> " + large + large + large);
    CHECK(s.ask(client, http::request("GET", "/")).has_value());
    CHECK(client.stats().opened == 1);

    asio::ip::tcp::acceptor silent(s.context, {asio::ip::address_v4::loopback(), 0});
    http::upstream const to_silent("127.0.0.1", silent.local_endpoint().port());
    http::request const r("GET", "/");
    asio::cancellation_signal signal;
    std::optional<weir::result<http::response>> got;
    asio::co_spawn(s.context, client.send(to_silent, r, signal.slot()),
                   [&](std::exception_ptr, weir::result<http::response> made) { got.emplace(made); });
    auto const cancel = [&]() -> asio::awaitable<bool> {
        auto const accepted = co_await silent.async_accept(asio::use_awaitable);
        for (int i = 0; i < 50; ++i) co_await asio::post(s.context, asio::use_awaitable);
        signal.emit(asio::cancellation_type::terminal);
        while (!got) co_await asio::post(s.context, asio::use_awaitable);
        co_return true;
    };
    CHECK(run(s.context, cancel()));
    CHECK(got->error() == weir::errc::cancelled);
}

TEST_CASE("tls: a server and its context may go while requests are under way")
{
    std::optional<weir::result<http::response>> got;
    http::request const r("GET", "/");
    {
        served s;
        http::tls_client client(s.context.get_executor(), s.trust);
        http::upstream const to("127.0.0.1", s.server.port());
        asio::co_spawn(s.context, client.send(to, r), [&](std::exception_ptr, weir::result<http::response> made) { got.emplace(made); });
        while (s.server.stats().accepted < 1) s.context.run_one_for(1s);
    }
    CHECK_FALSE(got.has_value());
}
