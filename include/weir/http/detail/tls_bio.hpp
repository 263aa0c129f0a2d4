// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/tls_handles.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0::http::detail {

/// What OpenSSL reads from and writes to: a socket that does not block. OpenSSL's own would raise SIGPIPE where the other side has
/// closed.
class tls_bio {
public:
    /// Null if there is no memory. The socket stays its owner's.
    static tls_handle<BIO> make(int socket) noexcept
    {
        tls_handle<BIO> made(BIO_new(method()));
        if (made == nullptr) return made;
        BIO_set_data(made.get(), reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
        BIO_set_init(made.get(), 1);
        return made;
    }

private:
    static BIO_METHOD* method() noexcept
    {
        static tls_handle<BIO_METHOD> const made = [] {
            tls_handle<BIO_METHOD> m(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir socket"));
            if (m == nullptr) return m;
            BIO_meth_set_read_ex(m.get(), &read);
            BIO_meth_set_write_ex(m.get(), &write);
            BIO_meth_set_ctrl(m.get(), &control);
            return m;
        }();
        return made.get();
    }
    static int socket_of(BIO* b) noexcept { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(b))); }
    static bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

    static int read(BIO* b, char* to, std::size_t size, std::size_t* done) noexcept
    {
        BIO_clear_retry_flags(b);
        ssize_t came = 0;
        do came = ::recv(socket_of(b), to, size, 0);
        while (came < 0 && errno == EINTR);
        if (came == 0) {
            BIO_set_flags(b, BIO_FLAGS_IN_EOF);
            errno = 0;
        }
        if (came < 0 && would_block()) BIO_set_retry_read(b);
        *done = came > 0 ? static_cast<std::size_t>(came) : 0;
        return came > 0 ? 1 : 0;
    }
    static int write(BIO* b, char const* from, std::size_t size, std::size_t* done) noexcept
    {
        BIO_clear_retry_flags(b);
        ssize_t sent = 0;
        do sent = ::send(socket_of(b), from, size, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0 && would_block()) BIO_set_retry_write(b);
        *done = sent > 0 ? static_cast<std::size_t>(sent) : 0;
        return sent > 0 ? 1 : 0;
    }
    static long control(BIO* b, int what, long, void*) noexcept
    {
        if (what == BIO_CTRL_FLUSH) return 1;
        if (what == BIO_CTRL_EOF) return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
        return 0;
    }
};

} // namespace weir::inline v0::http::detail
