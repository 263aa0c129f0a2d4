// SPDX-License-Identifier: BSL-1.0
#include <weir/http/metrics_page.hpp>

#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

using namespace std::chrono_literals;
namespace http = weir::http;

TEST_CASE("metrics_page: samples come out by metric, each with its help and type once")
{
    http::metrics_page page;
    page.add("b_total", "Counts b.", {{"x", "1"}}, 7);
    page.add("a", "Is a.", {}, 0.25);
    page.add("b_total", "Another help.", {{"x", "2"}, {"y", "z"}}, std::uint64_t{18446744073709551615u});
    CHECK(page.text() ==
          "# HELP a Is a.\n# TYPE a gauge\na 0.25\n"
          "# HELP b_total Counts b.\n# TYPE b_total counter\nb_total{x=\"1\"} 7\nb_total{x=\"2\",y=\"z\"} 18446744073709551615\n");
}

TEST_CASE("metrics_page: labels and help are escaped, each in its way")
{
    http::metrics_page page;
    page.add("a", "A \"quote\", a \\ and\na line.", {{"x", "A \"quote\", a \\ and\na line."}}, true);
    CHECK(page.text() == "# HELP a A \"quote\", a \\\\ and\\na line.\n# TYPE a gauge\n"
                         "a{x=\"A \\\"quote\\\", a \\\\ and\\na line.\"} 1\n");
}

TEST_CASE("metrics_page: numbers that are none, and durations in seconds")
{
    using limits = std::numeric_limits<double>;
    http::metrics_page page;
    page.add("a", "", {}, limits::quiet_NaN());
    page.add("b", "", {}, limits::infinity());
    page.add("c", "", {}, -limits::infinity());
    page.add("d", "", {}, 1500ms);
    page.add("e", "", {}, -3);
    std::string const text = page.text();
    for (auto const* line : {"\na NaN\n", "\nb +Inf\n", "\nc -Inf\n", "\nd 1.5\n", "\ne -3\n"}) CHECK(text.find(line) != std::string::npos);
}

TEST_CASE("metrics_page: policies are told apart by label, by name, by their place among those of one name")
{
    auto const limit = [] { return weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}; };
    weir::pipeline svc{weir::named<"per tenant">(limit()), limit(), limit(), [](int) { return 0; }};
    int const request = 0;
    (void)svc(request);
    (void)svc(request);
    http::metrics_page page;
    http::add_policies(page, "quotes", svc, weir::steady::now());
    std::string const text = page.text();
    for (auto const* line : {"# TYPE weir_policy_admitted_total counter\n",
                             "weir_policy_admitted_total{pipeline=\"quotes\",policy=\"rate_limit\",name=\"per tenant\"} 1\n",
                             "weir_policy_refused_total{pipeline=\"quotes\",policy=\"rate_limit\",name=\"per tenant\"} 1\n",
                             "weir_policy_admitted_total{pipeline=\"quotes\",policy=\"rate_limit\",name=\"rate_limit\"} 1\n",
                             "weir_policy_refused_total{pipeline=\"quotes\",policy=\"rate_limit\",name=\"rate_limit-2\"} 0\n"}) {
        CAPTURE(line);
        CHECK(text.find(line) != std::string::npos);
    }
}
