// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/stream.hpp>
#include <weir/http/detail/tls_bio.hpp>
#include <weir/http/detail/tls_handles.hpp>
#include <weir/http/tls_context.hpp>
#include <weir/http/tls_error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace weir::inline v0::http::detail {

/// What one step of a TLS operation came to.
struct tls_step {
    enum class wants : std::uint8_t { nothing, to_read, to_write };
    error_code failed{};
    std::size_t size = 0;
    wants next = wants::nothing; ///< then the same step again, when the socket is ready
};

/// A TLS connection over a socket: OpenSSL is asked, and Asio waits until the socket is ready. `asio::ssl::stream` has OpenSSL write to
/// memory and copies that: it costs 68 KiB of buffers a connection, a look at a quiet connection is not to be had, nor a write without a
/// wait.
class tls_stream {
public:
    using executor_type = asio::ip::tcp::socket::executor_type;
    using socket_type = asio::ip::tcp::socket;

    [[nodiscard]] socket_type& socket() noexcept { return socket_; }
    [[nodiscard]] executor_type get_executor() { return socket_.get_executor(); }

    template<class Token>
    auto async_handshake(Token&& token)
    {
        return start([](tls_stream& s) { return s.shake_hands(); }, token);
    }
    template<class Token>
    auto async_read_some(asio::mutable_buffer const& to, Token&& token)
    {
        return start([to](tls_stream& s) { return s.read(to); }, token);
    }
    template<class Token>
    auto async_write_some(gathered const& from, Token&& token)
    {
        return start([from](tls_stream& s) { return s.write(from); }, token);
    }

    /// The verified subject of the other side's certificate (RFC 4514): `CN=till-7,O=shop`. Empty if it showed none.
    [[nodiscard]] std::string peer_identity() const
    {
        X509* const shown = ssl_ == nullptr ? nullptr : SSL_get0_peer_certificate(ssl_.get());
        if (shown == nullptr || SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE) return {};
        tls_handle<BIO> const text(BIO_new(BIO_s_mem()));
        constexpr unsigned long style = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
        if (text == nullptr || X509_NAME_print_ex(text.get(), X509_get_subject_name(shown), 0, style) < 0) return {};
        char* bytes = nullptr;
        long const size = BIO_get_mem_data(text.get(), &bytes);
        return {bytes, static_cast<std::size_t>(size)};
    }

    /// Whether a handshake failed because plain HTTP came.
    [[nodiscard]] static bool is_plain_http(error_code why) noexcept
    {
        return why.category() == tls_category() && ERR_GET_REASON(static_cast<unsigned long>(why.value())) == SSL_R_HTTP_REQUEST;
    }

    // The steps. None of them waits.
    tls_step shake_hands() noexcept
    {
        if (ssl_ == nullptr) return {.failed = asio::error::no_memory};
        ERR_clear_error();
        return judge(SSL_do_handshake(ssl_.get()), 0);
    }
    tls_step read(asio::mutable_buffer const& to) noexcept
    {
        ERR_clear_error();
        std::size_t size = 0;
        int const done = SSL_read_ex(ssl_.get(), to.data(), to.size(), &size);
        return judge(done, size);
    }
    /// Writes one record of it. After `to_write` the same bytes have to come again.
    tls_step write(gathered const& from) noexcept
    {
        asio::const_buffer const all = in_one_piece(from);
        if (all.size() == 0) return {};
        ERR_clear_error();
        std::size_t size = 0;
        int const done = SSL_write_ex(ssl_.get(), all.data(), all.size(), &size);
        return judge(done, size);
    }
    /// Writes what the socket takes at once.
    std::size_t write_now(gathered left) noexcept
    {
        for (std::size_t all = 0;;) {
            std::size_t const size = write(left).size;
            all += size;
            if (size == 0 || advance(left, size)) return all;
        }
    }
    /// Whether the other side has neither ended nor said anything. Takes in what is TLS's own, such as tickets.
    [[nodiscard]] bool is_quiet() noexcept
    {
        char byte = 0;
        std::size_t size = 0;
        ERR_clear_error();
        return judge(SSL_peek_ex(ssl_.get(), &byte, 1, &size), size).next == tls_step::wants::to_read;
    }
    /// Says that nothing more will come, as far as the socket takes it at once.
    void end_output() noexcept
    {
        ERR_clear_error();
        if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }

protected:
    explicit tls_stream(socket_type&& socket) noexcept : socket_(std::move(socket)) {}

    /// Begins TLS on the socket, which is open. Without memory for it the handshake will say so.
    SSL* begin(tls_handle<SSL> ssl)
    {
        error_code ignored;
        socket_.non_blocking(true, ignored);
        auto bio = tls_bio::make(socket_.native_handle());
        ssl_ = bio != nullptr ? std::move(ssl) : nullptr;
        if (ssl_ == nullptr) return nullptr;
        SSL_set_bio(ssl_.get(), bio.get(), bio.get());
        static_cast<void>(bio.release());
        return ssl_.get();
    }
    void forget() noexcept { ssl_ = nullptr; }

private:
    template<class Step>
    struct operation {
        tls_stream& stream;
        Step step;
        tls_step done{};
        bool waited = false;

        template<class Self>
        void operator()(Self& self, error_code failed = {})
        {
            if (failed) return self.complete(failed, 0);
            if (waited && done.next == tls_step::wants::nothing) return self.complete(done.failed, done.size);
            done = step(stream);
            bool const first = !std::exchange(waited, true);
            switch (done.next) {
            case tls_step::wants::to_read: return stream.socket_.async_wait(asio::socket_base::wait_read, std::move(self));
            case tls_step::wants::to_write: return stream.socket_.async_wait(asio::socket_base::wait_write, std::move(self));
            case tls_step::wants::nothing: break;
            }
            // Whoever starts an operation is not to be called back before that returns.
            if (first) return asio::post(stream.get_executor(), std::move(self));
            self.complete(done.failed, done.size);
        }
    };
    template<class Step, class Token>
    auto start(Step step, Token& token)
    {
        return asio::async_compose<Token, void(error_code, std::size_t)>(operation<Step>{*this, std::move(step)}, token, socket_);
    }

    /// What is to be written next as one record: a short head and the beginning of its body go together.
    static asio::const_buffer in_one_piece(gathered const& from) noexcept
    {
        if (from[0].size() == 0) return from[1];
        if (from[1].size() == 0) return from[0];
        thread_local std::array<char, 16'384> record;
        std::size_t const first = std::min(from[0].size(), record.size());
        std::size_t const second = std::min(from[1].size(), record.size() - first);
        std::memcpy(record.data(), from[0].data(), first);
        std::memcpy(record.data() + first, from[1].data(), second);
        return {record.data(), first + second};
    }
    tls_step judge(int returned, std::size_t size) noexcept
    {
        if (returned == 1) return {.size = size};
        int const why = errno;
        switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ: return {.next = tls_step::wants::to_read};
        case SSL_ERROR_WANT_WRITE: return {.next = tls_step::wants::to_write};
        case SSL_ERROR_ZERO_RETURN: return {.failed = asio::error::eof};
        case SSL_ERROR_SYSCALL:
            if (why != 0) return {.failed = error_code(why, boost::system::system_category())};
            return {.failed = asio::error::connection_reset};
        default: break;
        }
        long const verified = SSL_get_verify_result(ssl_.get());
        error_code const failed = take_tls_error();
        bool const is_ours = ERR_GET_REASON(static_cast<unsigned long>(failed.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED;
        if (is_ours && verified != X509_V_OK) return {.failed = error_code(static_cast<int>(verified), tls_category())};
        return {.failed = failed};
    }

    socket_type socket_;
    tls_handle<SSL> ssl_;
};

/// A server's side, made from an accepted socket.
class tls_server_stream : public tls_stream {
public:
    using context_type = context_of<tls_server_stream>;

    tls_server_stream(socket_type&& socket, context_type const& context) : tls_stream(std::move(socket))
    {
        if (SSL* const ssl = begin(context.make())) SSL_set_accept_state(ssl);
    }
};

/// A client's side; it is connected first, then `expect_host`, then the hands are shaken.
class tls_client_stream : public tls_stream {
public:
    using context_type = context_of<tls_client_stream>;

    tls_client_stream(asio::any_io_executor const& executor, context_type const& context)
        : tls_stream(socket_type(executor)), context_(context)
    {
    }
    /// Whom the certificate has to name: a DNS name, which is also told to the server (SNI), or an address.
    void expect_host(std::string const& host)
    {
        SSL* const ssl = begin(context_.make());
        if (ssl == nullptr) return;
        SSL_set_connect_state(ssl);
        X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
        // RFC 9525: only the names made for it count, and "*" stands for a whole label.
        X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1) return;
        ERR_clear_error();
        bool const set = X509_VERIFY_PARAM_set1_host(rules, host.c_str(), 0) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
        if (!set) forget();
    }

private:
    context_type context_;
};

} // namespace weir::inline v0::http::detail
