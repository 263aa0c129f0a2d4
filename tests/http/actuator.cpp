// SPDX-License-Identifier: BSL-1.0
#include <weir/http/actuator.hpp>

#include "asking.hpp"

#include <weir/cache/cached.hpp>
#include <weir/core/any_pipeline.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/server.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using weir_tests::ask;
using weir_tests::json_of;
namespace asio = boost::asio;
namespace http = weir::http;

TEST_CASE("actuator: health, pipelines and metrics on a listener of their own")
{
    asio::io_context context(1);
    weir::pipeline svc{weir::named<"per tenant">(weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}), [](int) { return 0; }};
    int const request = 0;
    (void)svc(request);

    http::actuator actuator;
    http::server server(context.get_executor(), actuator);
    actuator.add("quotes", svc).add_server("admin", [&] { return server.stats(); });
    actuator.health().add("disk", [] { return http::health_state{http::health_status::degraded}; });

    auto const get = [&](std::string const& path) {
        return weir_tests::talk(context, server.port(), "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    };
    CHECK(get("/actuator/health").find("{\"status\":\"DEGRADED\"") != std::string::npos);
    CHECK(get("/actuator/pipelines").find("\"per tenant\"") != std::string::npos);
    auto const metrics = get("/metrics");
    CHECK(metrics.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != std::string::npos);
    CHECK(metrics.find("weir_policy_admitted_total{pipeline=\"quotes\",policy=\"rate_limit\",name=\"per tenant\"} 1\n") !=
          std::string::npos);
    CHECK(metrics.find("weir_http_requests_total{server=\"admin\"} 3\n") != std::string::npos);
    CHECK(get("/").starts_with("HTTP/1.1 404 "));
}

TEST_CASE("actuator: pipelines are described as JSON, with the settings of this moment")
{
    weir::pipeline svc{weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}, [](int) { return 0; }};
    weir::pipeline bare{weir::rate_limit{weir::gcra{{.permits = 9, .per = 1s}}}, [](int) { return 0; }};
    http::actuator actuator;
    CHECK(json_of(ask(actuator, "/actuator/pipelines")).at("pipelines").as_array().empty());
    actuator.add("a", svc).add("b\"", bare);
    svc.get<weir::rate_limit>().reconfigure({.permits = 5, .per = 1s});
    auto const document = json_of(ask(actuator, "/actuator/pipelines"));
    auto const& all = document.at("pipelines").as_array();
    CHECK(all.size() == 2);
    CHECK(all[0].at("name") == "a");
    CHECK(all[0].at("policies").at(0).at("settings").at("permits") == 5);
    CHECK(all[1].at("name") == "b\"");
    CHECK_THROWS_AS(actuator.add("a", svc), std::invalid_argument);
}

TEST_CASE("actuator: pipelines are drawn as a flowchart for who asks for one")
{
    weir::pipeline svc{weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}, [](int) { return 0; }};
    http::actuator actuator;
    actuator.add("a\"", svc);
    auto const drawn = ask(actuator, "/actuator/pipelines?format=mermaid");
    CHECK(drawn.result() == http::status::ok);
    CHECK(drawn[http::field::content_type] == "text/plain; charset=utf-8");
    CHECK(drawn.body().starts_with("flowchart TD\n    subgraph pipeline0[\"a#34;\"]\n"));
    CHECK(drawn.body().find("rate_limit<br/>gate<br/>permits = 1<br/>per = 1h") != std::string::npos);
    CHECK(json_of(ask(actuator, "/actuator/pipelines?format=json")).at("pipelines").as_array().size() == 1);
    for (char const* const bad : {"format=svg", "format=", "format=%zz", "format=mermaid&format=mermaid"}) {
        auto const refused = ask(actuator, "/actuator/pipelines?" + std::string(bad));
        CHECK(refused.result() == http::status::bad_request);
        CHECK(json_of(refused).at("detail") == "parameter format: expected json or mermaid");
    }
}

TEST_CASE("actuator: looks through the border of an any_pipeline")
{
    auto const make = [] {
        return weir::pipeline{weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}},
                              weir::rate_limit{weir::gcra{{.permits = 2, .per = 3600s}}}, [](int) { return 0; }};
    };
    auto plain = make();
    weir::any_pipeline<int, int> erased{make};
    http::actuator seen, through;
    seen.add("a", plain);
    through.add("a", erased);
    for (int i = 0; i < 3; ++i) {
        static_cast<void>(plain(i));
        static_cast<void>(erased(i));
    }
    CHECK(ask(through, "/actuator/pipelines").body() == ask(seen, "/actuator/pipelines").body());
    auto const of_policies = [](http::actuator const& a) {
        std::string const all = a.metrics();
        std::size_t const at = all.find("# HELP weir_policy_");
        return at == std::string::npos ? std::string() : all.substr(at);
    };
    CHECK(of_policies(through) == of_policies(seen));
    CHECK(of_policies(seen).find("weir_policy_refused_total{pipeline=\"a\",policy=\"rate_limit\",name=\"rate_limit\"} 2\n") !=
          std::string::npos);
    CHECK(of_policies(seen).find("weir_policy_admitted_total{pipeline=\"a\",policy=\"rate_limit\",name=\"rate_limit-2\"} 1\n") !=
          std::string::npos);
}

TEST_CASE("actuator: the process tells when it began and what it used")
{
    http::actuator actuator;
    actuator.add_metrics([](http::metrics_page& page) { page.add("mine", "My own.", {}, 1); });
    std::string const text = actuator.metrics();
    CHECK(text.find("\nmine 1\n") != std::string::npos);
    std::string const name = "\nprocess_start_time_seconds ";
    auto const at = text.find(name);
    REQUIRE(at != std::string::npos);
    double const start = std::strtod(text.c_str() + at + name.size(), nullptr);
    double const now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    CHECK(start > now - 3600);
    CHECK(start < now + 1);
}

TEST_CASE("actuator: the caches of the pipelines, with their rates")
{
    weir::store_options const room{.capacity = 10};
    auto const itself = weir::keyed_by<int>([](int n) { return n; });
    weir::pipeline quotes{weir::named<"near">(weir::cached{weir::store<int, int>{room}, itself}),
                          weir::cached{weir::store<int, int>{room}, itself}, [](int n) { return n; }};
    weir::pipeline without{weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}, [](int) { return 0; }};
    http::actuator actuator;
    CHECK(json_of(ask(actuator, "/actuator/caches")).at("caches").as_array().empty());
    actuator.add("quotes", quotes).add("without", without);
    for (int const request : {1, 1, 1, 2}) CHECK(quotes(request).value() == request);
    auto const document = json_of(ask(actuator, "/actuator/caches"));
    auto const& all = document.at("caches").as_array();
    REQUIRE(all.size() == 2);
    CHECK(all[0].at("pipeline") == "quotes");
    CHECK(all[0].at("label") == "near");
    CHECK(all[0].at("hits_total") == 2);
    CHECK(all[0].at("hit_rate") == 0.5);
    CHECK(all[0].at("penetration_rate") == 0);
    CHECK(all[1].at("label") == "");
    CHECK(all[1].at("loads_total") == 2);
}
