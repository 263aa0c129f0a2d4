// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/send_idempotency_key.hpp>

#include "message.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <cctype>
#include <cstddef>
#include <functional>
#include <set>
#include <string>

TEST_CASE("send_idempotency_key: a random UUID a call, the same for all its attempts")
{
    weir::manual_clock clock;
    std::set<std::string> keys;
    int attempts = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::send_idempotency_key<>{},
                       weir::retry<3>{{.budget = {.floor_per_second = 1e6}}}, [&](message const& m) -> weir::result<int> {
                           keys.insert(std::string(weir_header(m, "Idempotency-Key").value_or("")));
                           if (++attempts % 3 != 0) return weir::errc::unavailable;
                           return 1;
                       }};
    for (int i = 0; i < 100; ++i) CHECK(svc(message()).value() == 1);
    CHECK(attempts == 300);
    CHECK(keys.size() == 100);
    for (std::string const& key : keys) {
        REQUIRE(key.size() == 38);
        CHECK(key[0] == '"');
        CHECK(key[37] == '"');
        for (std::size_t i = 1; i < 37; ++i)
            CHECK(((i == 9 || i == 14 || i == 19 || i == 24) ? key[i] == '-' : std::isxdigit(static_cast<unsigned char>(key[i])) != 0));
        CHECK(key[15] == '4');
        CHECK(std::string("89ab").find(key[20]) != std::string::npos);
    }
}

TEST_CASE("send_idempotency_key: a key that is there stays")
{
    std::string seen;
    weir::pipeline svc{weir::send_idempotency_key<>{}, [&](message const& m) {
                           seen = *weir_header(m, "Idempotency-Key");
                           return 1;
                       }};
    CHECK(svc(message("Idempotency-Key", "\"mine\"")).value() == 1);
    CHECK(seen == "\"mine\"");
}
