// SPDX-License-Identifier: BSL-1.0
// Answers rate-limit cases: a JSON object a line on standard input, one a line on standard output, in order.
//   in:  {"id": 1, "rate": 2, "period_ns": 1000, "burst": 3, "events": [[time in ns, cost], ...]}
//   out: {"id": 1, "gcra": "1101", "token_bucket": "1101", "exact_gcra": ..., "fixed_window": ..., "sliding_log": ...}
// 1: admitted, 0: refused.
// A line that is no such case, or whose rate an algorithm does not take, is answered without the schedule.
// With the argument --judge it says instead which of its answers are wrong: each schedule has to equal the case's, but for gcra and
// token_bucket where the case has no exact_division: there no window may hold more than burst + rate x time. exact_gcra is compared with the
// case's gcra everywhere. Exit status 1 if one is wrong.
#include <weir/limit/exact_gcra.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/token_bucket.hpp>

#include <boost/json/src.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace {

namespace json = boost::json;

/// The clock of a case never goes back, as no clock of weir does: an earlier reading counts as the latest one.
class virtual_clock {
public:
    weir::time_point now(std::int64_t reading)
    {
        latest_ = std::max(latest_, weir::time_point{weir::duration{reading}});
        return latest_;
    }

private:
    weir::time_point latest_ = weir::time_point::min();
};

template<class Limiter>
std::string schedule(json::object const& c)
{
    typename Limiter::options options{.permits = c.at("rate").to_number<std::uint64_t>(),
                                      .per = weir::duration{c.at("period_ns").to_number<std::int64_t>()}};
    if constexpr (requires { options.burst; }) options.burst = c.at("burst").to_number<std::uint64_t>();
    Limiter limiter(options);
    virtual_clock clock;
    std::string answers;
    for (json::value const& event : c.at("events").as_array()) {
        weir::time_point const now = clock.now(event.at(0).to_number<std::int64_t>());
        answers += limiter.try_acquire(now, event.at(1).to_number<std::uint64_t>()) ? '1' : '0';
    }
    return answers;
}

template<class Limiter>
void answer(json::object& verdict, char const* name, json::object const& c)
{
    try {
        verdict[name] = schedule<Limiter>(c);
    } catch (std::exception const& e) {
        verdict["error"] = e.what();
    }
}

json::object answer(std::string const& line)
{
    json::object verdict;
    try {
        json::value const parsed = json::parse(line);
        json::object const& c = parsed.as_object();
        verdict["id"] = c.at("id");
        answer<weir::gcra<>>(verdict, "gcra", c);
        answer<weir::token_bucket<>>(verdict, "token_bucket", c);
        answer<weir::exact_gcra<>>(verdict, "exact_gcra", c);
        answer<weir::fixed_window<>>(verdict, "fixed_window", c);
        answer<weir::sliding_log<>>(verdict, "sliding_log", c);
    } catch (std::exception const&) {
        verdict["error"] = "not a case";
    }
    return verdict;
}

__extension__ using wide = __int128;

/// Whether some window of a schedule holds more than burst + rate x time. `surplus` is the largest of all windows that end at the
/// event, in permits x period, so that it is exact.
bool is_over(json::object const& c, std::string_view admitted)
{
    wide const rate = c.at("rate").to_number<std::int64_t>();
    wide const period = c.at("period_ns").to_number<std::int64_t>();
    wide const most = c.at("burst").to_number<std::int64_t>() * period;
    wide surplus = 0;
    virtual_clock clock;
    weir::time_point last = weir::time_point::min();
    json::array const& events = c.at("events").as_array();
    for (std::size_t i = 0; i < events.size(); ++i) {
        weir::time_point const now = clock.now(events[i].at(0).to_number<std::int64_t>());
        wide const passed = static_cast<wide>(now.time_since_epoch().count()) - last.time_since_epoch().count();
        surplus = std::max<wide>(0, surplus - rate * passed);
        last = now;
        if (admitted[i] == '1') surplus += period * events[i].at(1).to_number<std::int64_t>();
        if (surplus > most) return true;
    }
    return false;
}

/// What is wrong with one answer to a case that says what it expects.
std::string_view fault(json::object const& c, json::object const& verdict, char const* name)
{
    json::value const* const mine = verdict.if_contains(name);
    if (mine == nullptr || mine->as_string().size() != c.at("events").as_array().size()) return "no answer";
    std::string_view const algorithm = name;
    bool const rounded = algorithm == "gcra" || algorithm == "token_bucket";
    if (rounded && !c.at("exact_division").as_bool()) return is_over(c, mine->as_string()) ? "over burst + rate x time" : "";
    return mine->as_string() == c.at(algorithm == "exact_gcra" ? "gcra" : algorithm).as_string() ? "" : "differs from the schedule";
}

int judge()
{
    int schedules = 0;
    int wrong = 0;
    for (std::string line; std::getline(std::cin, line);) {
        json::value const parsed = json::parse(line);
        json::object const verdict = answer(line);
        for (char const* name : {"gcra", "token_bucket", "exact_gcra", "fixed_window", "sliding_log"}) {
            ++schedules;
            std::string_view const what = fault(parsed.as_object(), verdict, name);
            if (what.empty()) continue;
            ++wrong;
            std::cout << "case " << parsed.at("id") << ", " << name << ": " << what << '\n';
        }
    }
    std::cout << schedules << " schedules, " << wrong << " wrong\n";
    return schedules > 0 && wrong == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char**)
{
    std::ios::sync_with_stdio(false);
    if (argc > 1) return judge();
    for (std::string line; std::getline(std::cin, line);) std::cout << json::serialize(answer(line)) << '\n';
}
