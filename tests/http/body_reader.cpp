// SPDX-License-Identifier: BSL-1.0
#include <weir/http/body_reader.hpp>

#include "loopback.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// Gives its pieces, then an error.
class pieces final : public http::detail::exchange {
public:
    explicit pieces(std::vector<std::string_view> all) : all_(std::move(all)) {}
    asio::awaitable<weir::result<std::string_view>> read_body() override
    {
        ++reads;
        if (all_.empty()) co_return weir::error(weir::errc::cancelled);
        std::string_view const next = all_.front();
        all_.erase(all_.begin());
        co_return next;
    }
    asio::awaitable<weir::result<void>> write_body(std::string_view) override { co_return weir::error(weir::errc::cancelled); }
    int reads = 0;

private:
    std::vector<std::string_view> all_;
};

} // namespace

TEST_CASE("body_reader: reads when it is asked, and not before; copies read on")
{
    asio::io_context context(1);
    pieces from({"a", "bc"});
    http::body_reader const first(from);
    http::body_reader const second = first;
    CHECK(from.reads == 0);
    CHECK(weir_tests::run(context, first.read()).value() == "a");
    CHECK(weir_tests::run(context, second.read()).value() == "bc");
    CHECK(weir_tests::run(context, first.read()).error() == weir::errc::cancelled);
    CHECK(from.reads == 3);
}
