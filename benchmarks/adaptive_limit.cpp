// SPDX-License-Identifier: BSL-1.0
// Adaptive limits on a simulated server: 100 workers, 20 ms a call, a queue without an end, twice the load that it can bear for two minutes of
// virtual time; after 40 s half of the workers fail for 40 s. Beside them a fixed limit that was right for another server. And what limit each
// finds on servers of 20 to 200 workers. Prints figures and writes a plot: the limit, and the 99th percentile of the time that calls take, over time.
//   adaptive_limit [FILE.svg]      adaptive_limit.svg beside the program if no file is named
#include "../tests/limit/simulated_server.hpp"

#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/aimd.hpp>
#include <weir/limit/brpc_auto.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/gradient2.hpp>
#include <weir/limit/vegas.hpp>

#include <fmt/core.h>
#include <fmt/os.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr unsigned workers = 100;
constexpr double capacity = workers / 0.020; // calls a second
constexpr double seconds = 120;
constexpr double broken_from = 40, broken_to = 80;
constexpr double highest_limit = 450, longest_ms = 220;

struct curve {
    std::string_view name;
    std::string_view colour;
    std::vector<double> limit, p99_ms; // a point each half second
};

template<class Gate>
curve run(std::string_view name, std::string_view colour, Gate& gate)
{
    curve c{name, colour, {}, {}};
    weir_test::simulated_server server(gate, workers, 20ms, 1);
    struct part {
        char const* what;
        double from, to, share;
    };
    part const parts[] = {{"whole, 20-40 s", 20, 40, 1}, {"half, 60-80 s", 60, 80, 0.5}, {"whole again, 100-120 s", 100, 120, 1}};
    std::uint64_t served = 0;
    for (double t = 0; t < seconds; t += 0.5) {
        server.workers(t >= broken_from && t < broken_to ? workers / 2 : workers);
        server.run_for(500ms, 2 * capacity);
        auto const r = server.take_report();
        c.limit.push_back(r.limit);
        c.p99_ms.push_back(static_cast<double>(r.p99.count()) / 1e6);
        served += r.served;
        for (part const& p : parts) {
            if (t + 0.5 == p.from) served = 0;
            if (t + 0.5 != p.to) continue;
            auto const first = static_cast<std::size_t>(p.from * 2), last = static_cast<std::size_t>(p.to * 2);
            double limit = 0, p99 = 0;
            for (std::size_t i = first; i < last; ++i) {
                limit += c.limit[i] / static_cast<double>(last - first);
                p99 = std::max(p99, c.p99_ms[i]);
            }
            fmt::print(
                "{:<11} {:<23} limit {:6.1f} of {:3.0f}, {:5.1f} % of what the server can serve, p99 of the worst half second {:6.1f} ms\n",
                name, p.what, limit, workers * p.share, 100 * static_cast<double>(served) / ((p.to - p.from) * capacity * p.share), p99);
        }
    }
    return c;
}

/// A panel of the plot: one quantity of all curves over time, in a box at `top`.
class panel {
public:
    static constexpr double left = 70, width = 820, height = 230;

    panel(std::string& svg, double top, double most, double step, std::string_view title) : svg_(svg), top_(top), most_(most)
    {
        svg_ += fmt::format("<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' fill='#f2f2f2'/>\n", x(broken_from), top,
                            x(broken_to) - x(broken_from), height);
        for (double v = 0; v <= most; v += step)
            svg_ += fmt::format("<line x1='{0}' y1='{1:.1f}' x2='{2}' y2='{1:.1f}' stroke='#ddd'/><text x='{3}' y='{4:.1f}' "
                                "text-anchor='end'>{5:.0f}</text>\n",
                                left, y(v), left + width, left - 8, y(v) + 4, v);
        for (double t = 0; t <= seconds; t += 20)
            svg_ += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle'>{:.0f} s</text>\n", x(t), top + height + 16, t);
        svg_ += fmt::format("<text x='{}' y='{:.1f}' font-weight='bold'>{}</text>\n", left, top - 8, title);
    }
    void draw(std::vector<double> const& values, std::string_view colour, std::string_view style = "")
    {
        svg_ += fmt::format("<polyline fill='none' stroke='{}' stroke-width='1.5' {} points='", colour, style);
        for (std::size_t i = 0; i < values.size(); ++i)
            svg_ += fmt::format("{:.1f},{:.1f} ", x((static_cast<double>(i) + 0.5) * seconds / static_cast<double>(values.size())),
                                y(values[i]));
        svg_ += "'/>\n";
    }

private:
    static double x(double t) { return left + width * t / seconds; }
    [[nodiscard]] double y(double v) const { return top_ + height * (1 - std::min(v, most_) / most_); }
    std::string& svg_;
    double top_, most_;
};

std::string plot(std::vector<curve> const& curves)
{
    std::string svg = "<svg xmlns='http://www.w3.org/2000/svg' width='920' height='640' font-family='sans-serif' font-size='12'>\n"
                      "<rect width='920' height='640' fill='white'/>\n"
                      "<text x='70' y='24' font-size='15'>Twice the load that the server can bear; between 40 s and 80 s half of its "
                      "workers are gone</text>\n";
    double at = panel::left;
    for (curve const& c : curves) {
        svg += fmt::format("<rect x='{}' y='36' width='14' height='10' fill='{}'/><text x='{}' y='46'>{}</text>\n", at, c.colour, at + 20,
                           c.name);
        at += 140;
    }
    svg += fmt::format("<text x='{}' y='46'>dashed: the capacity</text>\n", at);
    panel limits(svg, 85, highest_limit, 50, "limit (calls inside)");
    std::vector<double> known;
    for (double t = 0; t < seconds; t += 0.5) known.push_back(t >= broken_from && t < broken_to ? workers / 2.0 : workers);
    limits.draw(known, "black", "stroke-dasharray='4 4'");
    for (curve const& c : curves) limits.draw(c.limit, c.colour);
    panel times(svg, 365, longest_ms, 20, "99th percentile of the time of a call (ms)");
    for (curve const& c : curves) times.draw(c.p99_ms, c.colour);
    return svg + "</svg>\n";
}

template<class Algorithm>
curve adaptive(std::string_view colour, Algorithm algorithm)
{
    std::string_view const name = algorithm.name;
    for (unsigned const known : {20u, 50u, 100u, 200u}) {
        weir::adaptive_limit gate{algorithm, {.seed = 7}};
        weir_test::simulated_server server(gate, known, 20ms, 1);
        server.run_for(30s, 2 * known / 0.020);
        static_cast<void>(server.take_report());
        server.run_for(60s, 2 * known / 0.020);
        auto const r = server.take_report();
        fmt::print("{:<11} {:>3} workers, 30-90 s     limit {:6.1f}, {:5.1f} % of what the server can serve, p99 {:5.1f} ms\n", name, known,
                   r.limit, 100 * r.a_second * 0.020 / known, static_cast<double>(r.p99.count()) / 1e6);
    }
    weir::adaptive_limit gate{std::move(algorithm), {.seed = 7}};
    return run(name, colour, gate);
}

} // namespace

int main(int, char** argv)
{
    std::string const file = argv[1] != nullptr ? argv[1] : (std::filesystem::path(argv[0]).parent_path() / "adaptive_limit.svg").string();
    std::vector<curve> curves;
    curves.push_back(adaptive("#1b6ca8", weir::vegas{}));
    curves.push_back(adaptive("#2a9d3a", weir::gradient2{}));
    curves.push_back(adaptive("#e08e0b", weir::brpc_auto{}));
    curves.push_back(adaptive("#7b4fa3", weir::aimd{{.slow_after = 21ms}}));
    weir::concurrency_limit fixed{{.max_concurrent = 400}};
    curves.push_back(run("fixed, 400", "#c8362b", fixed));
    try {
        fmt::output_file(file).print("{}", plot(curves));
    } catch (std::exception const& e) {
        fmt::print(stderr, "{}: {}\n", file, e.what());
        return 1;
    }
    fmt::print("plot: {}\n", file);
}
