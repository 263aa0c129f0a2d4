// SPDX-License-Identifier: BSL-1.0
#include <weir/http/body_writer.hpp>

#include "loopback.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// Takes as much as it has room for.
class sink final : public http::detail::exchange {
public:
    explicit sink(std::size_t room) : room_(room) {}
    asio::awaitable<weir::result<std::string_view>> read_body() override { co_return std::string_view{}; }
    asio::awaitable<weir::result<void>> write_body(std::string_view piece) override
    {
        if (taken.size() + piece.size() > room_) co_return weir::error(weir::errc::payload_too_large);
        taken.append(piece);
        co_return weir::result<void>();
    }
    std::string taken;

private:
    std::size_t room_;
};

} // namespace

TEST_CASE("body_writer: hands each piece on, and its error back")
{
    asio::io_context context(1);
    sink to(4);
    http::body_writer writer(to);
    auto const all = [&]() -> asio::awaitable<weir::result<void>> {
        for (std::string_view const piece : {"ab", "", "cd", "e"})
            if (auto const sent = co_await writer.write(piece); !sent) co_return sent.error();
        co_return weir::result<void>();
    };
    weir::result<void> const how = weir_tests::run(context, all());
    REQUIRE(how.has_error());
    CHECK(how.error() == weir::errc::payload_too_large);
    CHECK(to.taken == "abcd");
}
