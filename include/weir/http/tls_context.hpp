// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/http/detail/tls_files.hpp>
#include <weir/http/detail/tls_handles.hpp>

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace weir::inline v0::http {

enum class tls_version : std::uint8_t { v1_2, v1_3 };

/// How a server proves who it is, and whom it wants to know. Files are PEM.
struct tls_server_options {
    required<std::string> certificate_file;  ///< the server's certificate, and behind it those that lead to a root
    required<std::string> key_file;          ///< its private key, not encrypted
    std::string client_ca_file = {};         ///< if set, a client has to show a certificate that one of these has signed (mTLS)
    tls_version minimum = tls_version::v1_2; ///< older versions are refused
};

/// Whom a client trusts, and how it proves who it is where a server asks. Files are PEM.
struct tls_client_options {
    std::string ca_file = {};                ///< the roots to trust; empty: the system's
    std::string certificate_file = {};       ///< the client's own certificate, and behind it those that lead to a root; empty: none
    std::string key_file = {};               ///< its private key, not encrypted
    tls_version minimum = tls_version::v1_2; ///< older versions are refused
};

namespace detail {

/// What server and client have in common: TLS 1.2 and newer with forward secrecy and authenticated encryption, as RFC 9325 wants it;
/// no renegotiation, no compression; buffers only while there is something in them.
inline tls_handle<SSL_CTX> make_tls_context(SSL_METHOD const* method, tls_version minimum)
{
    tls_handle<SSL_CTX> made(SSL_CTX_new(method));
    if (made == nullptr) throw std::runtime_error("TLS: a context cannot be made: " + take_tls_error().message());
    SSL_CTX* const c = made.get();
    bool const good = SSL_CTX_set_min_proto_version(c, minimum == tls_version::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") == 1 &&
                      SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384") == 1;
    if (!good) throw std::runtime_error("TLS: OpenSSL lacks what is asked for: " + take_tls_error().message());
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(c, 1); // one call of the system for a record instead of two
    return made;
}

/// Takes in the certificate, its chain and its key.
inline void use_certificate(SSL_CTX* c, std::string const& certificate_path, std::string const& key_path)
{
    tls_file const certificate_file("certificate_file", certificate_path);
    tls_file const key_file("key_file", key_path);
    auto chain = certificate_file.certificates();
    certificate_file.check_dates(*chain.front());
    auto const key = key_file.key();
    certificate_file.check(SSL_CTX_use_certificate(c, chain.front().get()) == 1, "a certificate that can be used");
    for (std::size_t i = 1; i < chain.size(); ++i) {
        certificate_file.check(SSL_CTX_add0_chain_cert(c, chain[i].get()) == 1, "a chain of certificates");
        static_cast<void>(chain[i].release());
    }
    if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
        ERR_clear_error();
        key_file.refuse("the key of the certificate in " + certificate_path + ", but it is another's");
    }
    key_file.check(SSL_CTX_use_PrivateKey(c, key.get()) == 1, "a private key that can be used");
}

/// Trusts the certificates of a file; a server also names them to its clients.
inline void use_roots(SSL_CTX* c, char const* option, std::string const& path, bool tell_clients)
{
    tls_file const file(option, path);
    for (auto const& root : file.certificates()) {
        file.check(X509_STORE_add_cert(SSL_CTX_get_cert_store(c), root.get()) == 1, "certificates to trust");
        if (tell_clients) file.check(SSL_CTX_add_client_CA(c, root.get()) == 1, "certificates to trust");
    }
}

/// `http/1.1`, as the names of protocols go over the wire (RFC 7301).
inline constexpr unsigned char alpn_names[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

inline int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* size, unsigned char const* offered, unsigned offered_size,
                           void*) noexcept
{
    auto** const out = const_cast<unsigned char**>(chosen);
    int const found = SSL_select_next_proto(out, size, alpn_names, sizeof alpn_names, offered, offered_size);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

inline tls_handle<SSL_CTX> make_context(tls_server_options const& o)
{
    auto made = make_tls_context(TLS_server_method(), o.minimum);
    SSL_CTX* const c = made.get();
    use_certificate(c, *o.certificate_file, *o.key_file);
    SSL_CTX_set_alpn_select_cb(c, &choose_protocol, nullptr);
    if (!o.client_ca_file.empty()) {
        use_roots(c, "client_ca_file", o.client_ca_file, true);
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        // Without one, a client that comes back with a ticket is refused.
        SSL_CTX_set_session_id_context(c, alpn_names, sizeof alpn_names);
    }
    return made;
}

inline tls_handle<SSL_CTX> make_context(tls_client_options const& o)
{
    auto made = make_tls_context(TLS_client_method(), o.minimum);
    SSL_CTX* const c = made.get();
    expect(o.certificate_file.empty() == o.key_file.empty(), "certificate_file, key_file", "both or neither");
    if (!o.certificate_file.empty()) use_certificate(c, o.certificate_file, o.key_file);
    if (!o.ca_file.empty())
        use_roots(c, "ca_file", o.ca_file, false);
    else if (SSL_CTX_set_default_verify_paths(c) != 1)
        throw std::runtime_error("TLS: the system's roots cannot be read: " + take_tls_error().message());
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_alpn_protos(c, alpn_names, sizeof alpn_names) != 0)
        throw std::runtime_error("TLS: OpenSSL lacks what is asked for: " + take_tls_error().message());
    return made;
}

} // namespace detail

/// Certificates and rules of TLS, as they are in force. Copies share them. Thread-safe; a new connection holds a lock for a
/// microsecond.
///
/// `reload` reads the same files again, after a certificate was renewed; `reconfigure` takes other options. New connections then use what
/// is new, those that have begun keep what they have, tickets of sessions are void. If anything is wrong with a file, what was in force
/// stays so. All of them throw `std::invalid_argument` that names the option, the file and what is wrong with it: it cannot be read, there
/// is no certificate in it, the certificate has expired, the key is another's.
template<class Options>
class tls_context {
public:
    using options_type = Options;

    explicit tls_context(Options options) : state_(std::make_shared<state>(std::move(options))) {}

    void reload() { reconfigure(settings()); }
    void reconfigure(Options options)
    {
        auto made = detail::make_context(options);
        std::lock_guard const lock(state_->mutex);
        state_->options = std::move(options);
        std::swap(state_->current, made);
    }
    [[nodiscard]] Options settings() const
    {
        std::lock_guard const lock(state_->mutex);
        return state_->options;
    }

    /// A new connection's side of TLS, for the streams of server and client; null if there is no memory for it.
    [[nodiscard]] detail::tls_handle<SSL> make() const noexcept
    {
        std::lock_guard const lock(state_->mutex);
        return detail::tls_handle<SSL>(SSL_new(state_->current.get()));
    }

private:
    struct state {
        explicit state(Options o) : options(std::move(o)), current(detail::make_context(options)) {}
        std::mutex mutex;
        Options options;
        detail::tls_handle<SSL_CTX> current;
    };
    std::shared_ptr<state> state_;
};

/// `tls_server_context tls({.certificate_file = "shop.pem", .key_file = "shop.key"});`
using tls_server_context = tls_context<tls_server_options>;
/// `tls_client_context tls({.ca_file = "bank.pem"});` or `tls_client_context tls({});` for the system's roots.
using tls_client_context = tls_context<tls_client_options>;

} // namespace weir::inline v0::http
