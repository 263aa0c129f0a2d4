// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/server_options.hpp>

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

namespace hostile {

/// Whether this program was made with a sanitizer: memory is then no measure, and ten thousand of anything are too many.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

/// A server in a process of its own, so that its memory can be told from that of its clients. It answers
///
/// | path      | with                                                                      |
/// |-----------|---------------------------------------------------------------------------|
/// | `/stats`  | its stats, see `honest::ask_stats`                                        |
/// | `/large`  | 8 MiB                                                                     |
/// | `/waits`  | nothing until the request is cancelled                                    |
/// | `/stream` | pieces of 64 KiB without an end                                           |
/// | `/upload` | the size of the body, which it reads in pieces                            |
/// | all else  | method, target, size of the body and a line end                           |
class serving {
public:
    /// Listens when it returns. Throws `std::runtime_error` if it cannot.
    explicit serving(weir::http::server_options const& options = {});
    /// Ends the process, at once if it was not asked to finish.
    ~serving();
    serving(serving const&) = delete;
    serving& operator=(serving const&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// The bytes of its memory that are resident (/proc/PID/statm).
    [[nodiscard]] std::size_t resident() const;
    /// Asks it to drain; whether it ended by itself, without an error and with no connection left.
    [[nodiscard]] bool finish();

private:
    pid_t id_ = -1;
    std::uint16_t port_ = 0;
};

/// Raises this process's limit of open files as far as it goes: how many may be open.
[[nodiscard]] std::size_t raise_file_limit();

} // namespace hostile
