// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/posted.hpp>
#include <weir/asio/detail/wait.hpp>
#include <weir/asio/timer_wheel.hpp>
#include <weir/core/clock.hpp>
#include <weir/http/detail/address_count.hpp>
#include <weir/http/detail/connection.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/request_handler.hpp>
#include <weir/http/server_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http::detail {

namespace asio = boost::asio;

/// Counts what one thread writes and any thread reads.
inline void count(std::atomic<std::uint64_t>& counter) noexcept
{
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// One thread's server without its sessions: the listener, the list of connections, one coarse clock for all their deadlines.
/// All of it is used on one executor, the counters excepted.
template<class Stream>
class server_state : public std::enable_shared_from_this<server_state<Stream>> {
public:
    server_state(asio::any_io_executor executor, request_handler handle, server_options const& o, context_of<Stream> c = {})
        : options(o),
          handler(std::move(handle)),
          context(std::move(c)),
          acceptor(executor),
          signals(executor),
          addresses(o.connections_per_address),
          executor_(executor),
          wheel_(weir::detail::wheel_of(executor)),
          tick_(std::clamp<duration>(std::min({o.idle_time, o.header_time, o.body_time, o.request_time}) / 8, std::chrono::milliseconds(5),
                                     std::chrono::milliseconds(250)))
    {
        check(o);
        if (!o.server_name.empty()) server_ = "Server: " + o.server_name + "\r\n";
        listen();
        read_clocks();
    }

    /// The deadline of what begins now and may take `d`. It comes up to two ticks late, never early.
    [[nodiscard]] time_point in(duration d) const noexcept { return std::min(after(after(now_, d), tick_), last_); }
    /// The end of the drain, `never` before it has begun.
    [[nodiscard]] time_point last_deadline() const noexcept { return last_; }
    /// `Date: ...` and the line's end, renewed every second.
    [[nodiscard]] std::string_view date() const noexcept { return date_; }
    /// `Server: ...` and the line's end, or nothing.
    [[nodiscard]] std::string_view server() const noexcept { return server_; }
    [[nodiscard]] bool draining() const noexcept { return draining_; }
    [[nodiscard]] bool full() const noexcept { return open.load(std::memory_order_relaxed) >= options.connections; }

    void add(connection& c) noexcept
    {
        c.before = all_.before;
        c.behind = &all_;
        all_.before->behind = &c;
        all_.before = &c;
        count(open);
    }
    void remove(connection& c) noexcept
    {
        c.before->behind = c.behind;
        c.behind->before = c.before;
        open.store(open.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
        free_place();
        if (draining_) finish_if_done();
    }

    /// Looks at all deadlines, and again after each tick until the server has drained.
    void tick()
    {
        // When this thread was held up, by a handler that does not wait but works, no client is to blame.
        duration const held_up = begun_ ? steady::now() - now_ - 2 * tick_ : duration::zero();
        begun_ = true;
        read_clocks();
        if (held_up.count() > 0) {
            for_all([&](connection& c) {
                if (c.deadline != never && c.late != cut::request_time) c.deadline = std::min(c.deadline + held_up, last_);
            });
        }
        for_all([&](connection& c) {
            if (c.deadline <= now_) {
                count(timed_out);
                return c.cut_short(last_ <= now_ ? cut::drained : c.whole <= now_ ? cut::request_time : c.late);
            }
            // Most handlers end within a tick: only of those that do not is it worth a system call to hear that their client has gone.
            if (c.running && c.noticed && !c.watched) c.watch();
            c.noticed = c.running;
        });
        if (working_ && last_ <= now_) end_of_work_.emit(asio::cancellation_type::terminal);
        if (finished_) return;
        ticking_ = this->shared_from_this();
        wheel_.arm(next_tick_, now_, after(now_, tick_));
    }
    void drain()
    {
        if (std::exchange(draining_, true)) return;
        close_listener();
        last_ = in(options.drain_time);
        for_all([&](connection& c) {
            c.deadline = std::min(c.deadline, last_);
            if (c.idle) c.cut_short(cut::drained);
        });
        finish_if_done();
    }
    /// Runs a coroutine, which the slot cancels. `owned` is let go when it has ended. One way for all of them: each costs a compiler dear.
    void run(asio::awaitable<void> what, asio::cancellation_slot slot, std::shared_ptr<void> owned)
    {
        asio::co_spawn(acceptor.get_executor(), std::move(what),
                       asio::bind_cancellation_slot(slot, [owned = std::move(owned)](std::exception_ptr) {}));
    }
    /// Ends all at once.
    void stop()
    {
        if (!working_) last_work = nullptr;
        drain();
        for_all([](connection& c) { c.cut_short(cut::drained); });
        if (working_) end_of_work_.emit(asio::cancellation_type::terminal);
        finish();
    }

    /// While it lives, the wait ends when a connection does.
    class wanting_place {
    public:
        wanting_place(server_state& of, weir::detail::wait& place) noexcept : of_(of) { of.place_wanted_ = &place; }
        ~wanting_place() { of_.place_wanted_ = nullptr; }
        wanting_place(wanting_place const&) = delete;
        wanting_place& operator=(wanting_place const&) = delete;

    private:
        server_state& of_;
    };

    server_options const options;
    request_handler const handler;
    [[no_unique_address]] context_of<Stream> const context;
    asio::ip::tcp::acceptor acceptor;
    asio::signal_set signals;
    address_count addresses;
    /// What a drain waits for when the last connection has ended.
    std::function<asio::awaitable<void>()> last_work;
    std::atomic<std::uint64_t> accepted{0}, open{0}, requests{0}, refused{0}, timed_out{0}, threw{0}, left{0}, shed{0};

private:
    void listen()
    try {
        asio::ip::tcp::endpoint const where(asio::ip::make_address(options.address), options.port);
        acceptor.open(where.protocol());
        acceptor.set_option(asio::socket_base::reuse_address(true));
        using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
        if (options.reuse_port) acceptor.set_option(reuse_port(true));
        acceptor.bind(where);
        acceptor.listen();
        acceptor.non_blocking(true);
    } catch (boost::system::system_error const& e) {
        // The code as a new one: where in Asio it was made helps nobody.
        throw boost::system::system_error(boost::system::error_code(e.code().value(), e.code().category()),
                                          "cannot listen on " + options.address + ':' + std::to_string(options.port));
    }
    void close_listener()
    {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        free_place();
    }
    void free_place() noexcept
    {
        if (place_wanted_ != nullptr) place_wanted_->end(weir::detail::wait_end::woken);
    }
    void finish_if_done()
    {
        if (open.load(std::memory_order_relaxed) > 0 || working_) return;
        if (last_work == nullptr) return finish();
        working_ = true;
        run(work_on(), end_of_work_.slot(), this->shared_from_this());
    }
    asio::awaitable<void> work_on()
    {
        try {
            co_await last_work();
        } catch (...) { // it had its time
        }
        working_ = false;
        finish();
    }
    void finish()
    {
        finished_ = true;
        signals.cancel();
        if (wheel_.disarm(next_tick_)) auto const last = std::move(ticking_); // else the news of the last tick is on its way, and lets go
    }
    /// Goes off in the wheel's thread.
    struct alarm : weir::detail::wheel_entry {
        explicit alarm(server_state& owner) noexcept : of(owner)
        {
            expire = [](wheel_entry& self) noexcept {
                server_state& s = static_cast<alarm&>(self).of;
                asio::post(s.executor_, weir::detail::posted(&ticked, &s));
            };
            abandon = [](wheel_entry& self) noexcept { auto const last = std::move(static_cast<alarm&>(self).of.ticking_); };
        }
        server_state& of;
    };
    static void ticked(void* state, bool done)
    {
        auto self = std::move(static_cast<server_state*>(state)->ticking_);
        timer_wheel& wheel = self->wheel_;
        if (!done) return wheel.bury(std::move(self)); // the wheel's thread may be in our alarm, and be who calls this
        wheel.disarm(self->next_tick_);                // ... or be on its way out of it
        if (!self->finished_) self->tick();
    }
    void read_clocks()
    {
        now_ = steady::now();
        std::time_t const second = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        if (second == second_) return;
        second_ = second;
        std::tm parts{};
        char text[48];
        // The C locale's names, whatever the program's locale is: RFC 9110 section 5.6.7 has them fixed.
        constexpr char const* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        constexpr char const* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        gmtime_r(&second, &parts);
        std::size_t const size = std::strftime(text, sizeof text, ", %d     %Y %H:%M:%S GMT\r\n", &parts);
        date_.assign("Date: ").append(days[parts.tm_wday]).append(text, size);
        date_.replace(date_.find("     ") + 1, 3, months[parts.tm_mon]);
    }
    template<class F>
    void for_all(F f)
    {
        for (connection *c = all_.behind, *next = nullptr; c != &all_; c = next) {
            next = c->behind;
            f(*c);
        }
    }

    asio::any_io_executor const executor_;
    timer_wheel& wheel_;
    alarm next_tick_{*this};
    std::shared_ptr<server_state> ticking_; // itself, while a tick is to come
    duration const tick_;
    weir::detail::wait* place_wanted_ = nullptr;
    connection_list all_;
    time_point now_{};
    time_point last_ = never;
    std::time_t second_ = -1;
    std::string date_;
    std::string server_;
    asio::cancellation_signal end_of_work_;
    bool working_ = false; // on what the drain waits for besides connections
    bool begun_ = false;
    bool draining_ = false;
    bool finished_ = false;
};

} // namespace weir::inline v0::http::detail
