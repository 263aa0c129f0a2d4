// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace gateway {

/// Another program, which ends when this object does, and by the kernel's hand if this program is killed. Its lines of output are
/// read; its errors go to a file, or where ours go if that is empty.
class process {
public:
    /// Throws `std::system_error` if there is no such program.
    process(std::string const& program, std::vector<std::string> arguments, std::string const& errors_to = {})
    {
        arguments.insert(arguments.begin(), program);
        std::vector<char*> words;
        for (std::string& word : arguments) words.push_back(word.data());
        words.push_back(nullptr);
        if (::access(program.c_str(), X_OK) != 0) throw std::system_error(errno, std::generic_category(), program);

        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
        output_ = ends[0];
        pid_t const parent = ::getpid();
        id_ = ::fork();
        if (id_ == 0) become(words.data(), parent, ends[1], errors_to.c_str());
        ::close(ends[1]);
        if (id_ < 0) {
            ::close(output_);
            throw std::system_error(errno, std::generic_category(), "fork");
        }
    }
    ~process()
    {
        end();
        ::close(output_);
    }
    process(process const&) = delete;
    process& operator=(process const&) = delete;

    /// The next line that it says; nothing if it ends before, or keeps silent for longer than `limit`.
    [[nodiscard]] std::optional<std::string> next_line(std::chrono::milliseconds limit)
    {
        auto const last = std::chrono::steady_clock::now() + limit;
        std::string line;
        for (;;) {
            auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(last - std::chrono::steady_clock::now()).count();
            pollfd wanted{output_, POLLIN, 0};
            char c = 0;
            if (left <= 0) return std::nullopt;
            if (::poll(&wanted, 1, static_cast<int>(left)) < 0 && errno != EINTR) return std::nullopt;
            if (wanted.revents == 0) continue;
            if (::read(output_, &c, 1) != 1) return std::nullopt;
            if (c == '\n') return line;
            line += c;
        }
    }
    void send_signal(int signal)
    {
        if (running()) ::kill(id_, signal);
    }
    [[nodiscard]] bool running()
    {
        if (status_) return false;
        int status = 0;
        if (::waitpid(id_, &status, WNOHANG) == id_) status_ = status;
        return !status_;
    }
    /// Asks it to end, and ends it if it does not within three seconds. Returns its exit status; 128 and more: the signal that ended it.
    int end()
    {
        if (running()) ::kill(id_, SIGTERM);
        for (int i = 0; i < 300 && running(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (running()) {
            ::kill(id_, SIGKILL);
            int status = 0;
            ::waitpid(id_, &status, 0);
            status_ = status;
        }
        return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
    }

private:
    /// In the child, where only what is safe after a fork is called.
    [[noreturn]] static void become(char* const* words, pid_t parent, int output, char const* errors_to)
    {
        ::setpgid(0, 0); // Ctrl-C is for the parent, which ends its children
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        ::dup2(output, STDOUT_FILENO);
        if (*errors_to != '\0') {
            int const file = ::open(errors_to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
            if (file >= 0) ::dup2(file, STDERR_FILENO);
        }
        ::execv(words[0], words);
        ::_exit(127);
    }

    pid_t id_ = -1;
    int output_ = -1;
    std::optional<int> status_;
};

} // namespace gateway
