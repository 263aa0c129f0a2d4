// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/describe.hpp>

#include <chrono>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0::http {

/// A name and a value that tell one series of a metric from the others.
struct metric_label {
    std::string_view name;
    std::string_view value;
};

/// A page of metrics in Prometheus' text exposition format 0.0.4: samples are added in any order and come out by metric, as the format
/// wants. For operators, not for calls: allocates.
class metrics_page {
public:
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// A sample of a metric: a counter if its name ends in `_total`, else a gauge. `name` has letters, digits and `_`; durations are
    /// written in seconds. The first `help` of a metric is taken.
    template<class Value>
    void add(std::string_view name, std::string_view help, std::initializer_list<metric_label> labels, Value const& value)
    {
        auto& metric = metrics_.try_emplace(std::string(name), family{std::string(help), {}}).first->second;
        metric.samples.append(name);
        char open = '{';
        for (metric_label const& l : labels) {
            (metric.samples += std::exchange(open, ',')).append(l.name) += "=\"";
            append(metric.samples, l.value, true);
            metric.samples += '"';
        }
        if (labels.size() > 0) metric.samples += '}';
        (metric.samples += ' ') += text_of(value);
        metric.samples += '\n';
    }

    [[nodiscard]] std::string text() const
    {
        std::string page;
        for (auto const& [name, metric] : metrics_) {
            append((page += "# HELP ").append(name) += ' ', metric.help, false);
            (page += "\n# TYPE ").append(name) += name.ends_with("_total") ? " counter\n" : " gauge\n";
            page += metric.samples;
        }
        return page;
    }

private:
    struct family {
        std::string help;
        std::string samples;
    };
    static void append(std::string& to, std::string_view text, bool quoted)
    {
        for (char const c : text) {
            if (c == '\n')
                to += "\\n";
            else
                ((c == '\\' || (quoted && c == '"')) ? to += '\\' : to) += c;
        }
    }
    template<class Value>
    static std::string text_of(Value const& value)
    {
        if constexpr (std::is_same_v<Value, bool>)
            return value ? "1" : "0";
        else if constexpr (std::is_enum_v<Value>)
            return text_of(static_cast<std::underlying_type_t<Value>>(value));
        else if constexpr (std::is_integral_v<Value>)
            return std::to_string(value);
        else if constexpr (std::is_floating_point_v<Value>)
            return std::isnan(value)   ? "NaN"
                   : std::isinf(value) ? (value > 0 ? "+Inf" : "-Inf")
                                       : weir::detail::text_of(static_cast<double>(value));
        else
            return text_of(std::chrono::duration<double>(value).count());
    }

    std::map<std::string, family, std::less<>> metrics_;
};

/// Adds what the policies of a pipeline count, as `weir_policy_refused_total{pipeline="quotes",policy="rate_limit",name="per tenant"}`: the
/// name is the policy's label, or, where it has none, its own name, with `-2` for the second such one in its pipeline.
template<class Pipeline>
void add_policies(metrics_page& page, std::string_view pipeline, Pipeline& svc, time_point now)
{
    std::map<std::string, int, std::less<>> seen;
    std::set<std::string, std::less<>> fields; // of one policy: another one begins where a field comes again, or has another name
    std::string_view policy, label;
    std::string name;
    stats_of(svc, now, [&](std::string_view of, std::string_view labelled, std::string_view field, auto const& value) {
        if (fields.contains(field) || of != policy || labelled != label) {
            fields.clear();
            policy = of;
            label = labelled;
            name = labelled.empty() ? of : labelled;
            if (int const nth = ++seen[name]; nth > 1) name += '-' + std::to_string(nth);
        }
        fields.emplace(field);
        page.add("weir_policy_" + std::string(field), "What the policies of a pipeline count: " + std::string(field) + '.',
                 {{"pipeline", pipeline}, {"policy", policy}, {"name", name}}, value);
    });
}

} // namespace weir::inline v0::http
