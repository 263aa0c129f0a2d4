// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/mermaid.hpp>
#include <weir/core/options.hpp>
#include <weir/http/detail/process.hpp>
#include <weir/http/health.hpp>
#include <weir/http/metrics_page.hpp>
#include <weir/http/problem.hpp>
#include <weir/http/request_handler.hpp>
#include <weir/http/router.hpp>
#include <weir/http/server_options.hpp>
#include <weir/validate/query.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::http {

/// What operators ask of a service, for a listener of its own that strangers do not reach:
///
/// | path | answer |
/// |---|---|
/// | `/actuator/health` | the checks of `health`, as JSON; 503 if something is down |
/// | `/actuator/pipelines` | each pipeline with its policies and their settings of this moment, as JSON; with `?format=mermaid` as a flowchart |
/// | `/actuator/caches` | what the caches of the pipelines count, with their rates, as JSON |
/// | `/metrics` | what policies, servers and the process count, in Prometheus' text exposition format 0.0.4 |
///
/// ```cpp
/// http::actuator actuator;
/// actuator.add("quotes", quotes).add_server("public", [&] { return server.stats(); });
/// actuator.health().add("upstream", check);
/// http::server admin(executor, actuator, {.port = 9090});
/// ```
/// Copies share all of it. What is added outlives the listener; add it before that. A `confined` policy is read on its own thread only.
/// `Health` answers for the checks: `http::health`, or one like it.
template<class Health = http::health>
class basic_actuator {
public:
    basic_actuator() : basic_actuator(Health()) {}
    explicit basic_actuator(Health checks) : health_(std::move(checks)), all_(std::make_shared<registered>())
    {
        routes_.add("GET", "/actuator/health", health_)
            .add("GET", "/actuator/pipelines", [all = all_](request& r) { return detail::say(describe_all(*all, r.target())); })
            .add("GET", "/actuator/caches", [all = all_](request&) { return detail::say(count_caches(*all)); })
            .add("GET", "/metrics", [all = all_](request&) { return detail::say(count_all(*all)); });
    }

    /// A pipeline, or an `any_pipeline`, by a name of its own.
    template<class Pipeline>
    basic_actuator& add(std::string name, Pipeline& svc)
    {
        for (pipeline_entry const& p : all_->pipelines) expect(p.name != name, "actuator.name", "one that is not there yet");
        all_->pipelines.push_back({std::move(name), [&svc] { return describe(svc); },
                                   [&svc](metrics_page& page, std::string_view as) { add_policies(page, as, svc, steady::now()); },
                                   [&svc] { return caches_of(svc); }});
        return *this;
    }
    /// A server by a name of its own; of servers that share a port, one a thread, the sum.
    basic_actuator& add_server(std::string name, std::function<server_stats()> stats)
    {
        for (server_entry const& s : all_->servers) expect(s.name != name, "actuator.name", "one that is not there yet");
        all_->servers.push_back({std::move(name), std::move(stats)});
        return *this;
    }
    /// More to be counted: what `f` adds to the page.
    basic_actuator& add_metrics(std::function<void(metrics_page&)> f)
    {
        all_->more.push_back(std::move(f));
        return *this;
    }
    [[nodiscard]] Health& health() noexcept { return health_; }

    boost::asio::awaitable<response> operator()(request& r) const { return routes_(r); }

    /// What `/metrics` says.
    [[nodiscard]] std::string metrics() const { return page_of(*all_).text(); }

private:
    struct cache_figures {
        std::string label;
        std::string members; // `"hits_total":7,"hit_rate":0.9`
    };
    struct pipeline_entry {
        std::string name;
        std::function<description()> described;
        std::function<void(metrics_page&, std::string_view)> counted;
        std::function<std::vector<cache_figures>()> caches;
    };
    struct server_entry {
        std::string name;
        std::function<server_stats()> stats;
    };
    struct registered {
        std::vector<pipeline_entry> pipelines;
        std::vector<server_entry> servers;
        std::vector<std::function<void(metrics_page&)>> more;
    };

    static response describe_all(registered const& all, std::string_view target)
    {
        query_value const format = find_query(target, "format");
        if (format.state != query_state::absent && format.value != "json") {
            if (format.value != "mermaid") return problem(status::bad_request, {.detail = "parameter format: expected json or mermaid"});
            mermaid_chart chart;
            for (pipeline_entry const& p : all.pipelines) chart.add(p.name, p.described());
            return response(status::ok, chart.text(), "text/plain; charset=utf-8");
        }
        std::string text = "{\"pipelines\":[";
        for (pipeline_entry const& p : all.pipelines) {
            if (&p != all.pipelines.data()) text += ',';
            text += "{\"name\":" + weir::detail::quoted(p.name) + ',';
            text += p.described().json().substr(1); // the members of its own
        }
        return response(status::ok, text += "]}", "application/json");
    }
    /// The policies that are a `cached`; another one begins where a figure comes again, or has another label.
    template<class Pipeline>
    static std::vector<cache_figures> caches_of(Pipeline& svc)
    {
        std::vector<cache_figures> all;
        stats_of(svc, steady::now(), [&](std::string_view of, std::string_view label, std::string_view field, auto const& value) {
            if (of != "cached") return;
            std::string const name = weir::detail::quoted(field) + ':';
            if (all.empty() || all.back().label != label || all.back().members.find(name) != std::string::npos)
                all.push_back({std::string(label), {}});
            std::string& members = all.back().members;
            if (!members.empty()) members += ',';
            members += name + weir::detail::json_of(weir::detail::setting_of(value));
        });
        return all;
    }
    static response count_caches(registered const& all)
    {
        std::string text = "{\"caches\":[";
        for (pipeline_entry const& p : all.pipelines)
            for (cache_figures const& c : p.caches()) {
                if (!text.ends_with('[')) text += ',';
                text +=
                    "{\"pipeline\":" + weir::detail::quoted(p.name) + ",\"label\":" + weir::detail::quoted(c.label) + ',' + c.members + '}';
            }
        return response(status::ok, text += "]}", "application/json");
    }
    static response count_all(registered const& all) { return response(status::ok, page_of(all).text(), metrics_page::content_type); }
    static metrics_page page_of(registered const& all)
    {
        metrics_page page;
        for (pipeline_entry const& p : all.pipelines) p.counted(page, p.name);
        for (server_entry const& s : all.servers) {
            server_stats const now = s.stats();
            auto const add = [&](std::string_view name, std::string_view help, std::uint64_t value) {
                page.add(name, help, {{"server", s.name}}, value);
            };
            add("weir_http_connections_total", "Connections accepted.", now.accepted);
            add("weir_http_connections", "Connections open now.", now.open);
            add("weir_http_requests_total", "Requests that reached the handler.", now.requests);
            add("weir_http_refused_total", "Requests refused for their framing or size.", now.refused);
            add("weir_http_timed_out_total", "Connections ended for being idle or slow.", now.timed_out);
            add("weir_http_threw_total", "Requests whose handler threw.", now.threw);
            add("weir_http_left_total", "Requests whose client left before the answer.", now.left);
            add("weir_http_shed_total", "Connections closed at once, for their address had too many.", now.shed);
        }
        page.add("process_start_time_seconds", "When the process began, in seconds since 1970.", {}, detail::process_start_seconds());
        page.add("process_cpu_seconds_total", "CPU time of the process, user and system.", {}, detail::process_cpu_seconds());
        for (auto const& f : all.more) f(page);
        return page;
    }

    Health health_;
    std::shared_ptr<registered> all_;
    router routes_;
};

using actuator = basic_actuator<>;

} // namespace weir::inline v0::http
