// SPDX-License-Identifier: BSL-1.0
#include "../schedules.hpp"

#include <weir/cache/store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using weir::duration;
using weir::time_point;

template<class Value>
Value made(int n)
{
    if constexpr (std::is_same_v<Value, int>)
        return n;
    else
        return std::make_shared<int const>(n);
}
int number(int n)
{
    return n;
}
int number(std::shared_ptr<int const> const& p)
{
    return *p;
}

constexpr int keys = 12;

/// One schedule against a map that the removal listener keeps exact: what the store says it drops, the map drops, if it may.
template<class Value, class Threading>
class schedule {
    struct kept {
        int value;
        time_point from, until; // some time in between it goes out of date: at `until`, if nothing is drawn
        time_point used;
        std::uint32_t weight;
        duration took;
    };
    struct absence {
        time_point until;
    };
    using store = weir::store<int, Value, Threading>;

public:
    explicit schedule(std::uint64_t seed)
        : random_(static_cast<unsigned>(seed)),
          capacity_(1 + pick(keys + 4)),
          jitter_(pick(2) == 0 ? 0 : 0.5),
          negative_ttl_(pick(3) == 0 ? 0ns : 20ns),
          keep_stale_(pick(2) == 0 ? 0ns : 15ns),
          max_weight_(pick(3) == 0 ? 1 + pick(40) : 0),
          idle_(pick(3) == 0 ? 16ns : 0ns),
          store_({.capacity = capacity_,
                  .ttl = 40ns,
                  .jitter = jitter_,
                  .negative_ttl = negative_ttl_,
                  .keep_stale = keep_stale_,
                  .seed = seed,
                  .max_weight = max_weight_,
                  .idle = idle_},
                 {.weigh = max_weight_ == 0 ? nullptr : weigher(),
                  .time_to_live = {},
                  .on_removal = [this](int key, Value const& value, weir::removal cause) { gone(key, number(value), cause); }})
    {
    }

    /// Empty if all went as the map says.
    std::string run(std::string* story)
    {
        int const steps = 10 + static_cast<int>(pick(40));
        for (int step = 0; step < steps && wrong_.empty(); ++step) {
            now_ += duration(static_cast<int>(pick(4)));
            one(static_cast<int>(pick(keys)), step + 1, story);
            if (wrong_.empty()) compare();
        }
        return wrong_;
    }

private:
    static std::function<std::uint32_t(int, Value const&)> weigher()
    {
        return [](int, Value const& value) { return static_cast<std::uint32_t>(number(value) % 7); };
    }
    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
    void expect(bool good, char const* what)
    {
        if (!good && wrong_.empty()) wrong_ = what;
    }

    time_point end(kept const& k) const { return idle_ == 0ns ? k.until : std::min(k.until, k.used + idle_); }
    bool surely_good(kept const& k) const { return now_ < k.from && (idle_ == 0ns || now_ < k.used + idle_ - idle_ / 32); }
    bool surely_over(kept const& k) const { return now_ >= end(k); }

    void gone(int key, int value, weir::removal cause)
    {
        auto const at = values_.find(key);
        if (at == values_.end() || at->second.value != value) return expect(false, "something left that was not there, or twice");
        ++told_[static_cast<std::size_t>(cause)];
        switch (cause) {
        case weir::removal::expired:
            expect(now_ - keep_stale_ >= std::min(at->second.from, idle_ == 0ns ? never : at->second.used + idle_ - 1ns),
                   "expired too early");
            break;
        case weir::removal::evicted: expect(may_evict_, "evicted though there was room"); break;
        case weir::removal::replaced: expect(key == replacing_, "replaced without a write"); break;
        case weir::removal::erased: expect(erasing_, "erased by nobody"); break;
        case weir::removal::cleared: expect(clearing_, "cleared by nobody"); break;
        }
        weight_ -= at->second.weight;
        values_.erase(at);
    }

    void put(int key, int value)
    {
        weir::store_write how{};
        if (pick(3) == 0) how.ttl = duration(1 + pick(60));
        if (pick(4) == 0) how.left = duration(1 + pick(60));
        if (pick(2) == 0) how.took = duration(pick(1'000));
        bool const leased = pick(3) == 0 && leases_[static_cast<std::size_t>(key)].lease;
        held& mine = leases_[static_cast<std::size_t>(key)];
        if (leased) how.lease = *mine.lease;
        duration const most = how.left > 0ns ? how.left : how.ttl > 0ns ? how.ttl : ttl_;
        duration const least = how.left > 0ns || jitter_ == 0 ? most : std::max<duration>(most / 2, 1ns);
        auto const weight = max_weight_ == 0 ? 0 : static_cast<std::uint32_t>(value % 7);
        bool taken = !leased || mine.holds;
        bool const fits = weight <= max_weight_;
        may_evict_ = values_.size() + (values_.contains(key) ? 0 : 1) > capacity_ || weight_ + weight > max_weight_;
        std::uint64_t const refused = store_.stats().refused;
        replacing_ = taken ? key : -1;
        // The listener hears after the write: what was there is taken out of the map by it.
        bool const kept_it = store_.put(key, made<Value>(value), now_, how);
        // Another key may have the same stamp: then, and only then, its invalidation outdates this key's leases, too.
        if (leased && taken && mine.at != invalidations_ && store_.stats().refused != refused) taken = false;
        expect(kept_it == (taken && fits), "a write was kept or refused wrongly");
        if (taken) {
            expect(!values_.contains(key), "what was replaced was not told");
            absences_.erase(key);
            if (!leased) invalidated(key);
        }
        if (kept_it) {
            values_[key] = {value, now_ + least, now_ + most, now_, weight, how.took};
            weight_ += weight;
        }
        replacing_ = -1;
    }
    void put_absent(int key)
    {
        replacing_ = key;
        may_evict_ = false;
        bool const kept_it = store_.put_absent(key, now_);
        expect(kept_it == (negative_ttl_ != 0ns), "a negative answer was kept or refused wrongly");
        replacing_ = -1;
        invalidated(key);
        expect(!values_.contains(key), "a value stayed beside its negative answer");
        if (kept_it)
            absences_[key] = {now_ + negative_ttl_};
        else
            absences_.erase(key);
    }
    void invalidated(int key)
    {
        ++invalidations_;
        leases_[static_cast<std::size_t>(key)].holds = false;
    }
    template<class Found>
    void check(int key, Found const& found, bool stale)
    {
        auto const at = values_.find(key);
        auto const absent = absences_.find(key);
        if (found.hit()) {
            if (at == values_.end()) return expect(false, "found what is not there");
            kept& k = at->second;
            expect(number(*found) == k.value, "found another value");
            expect(found.took() == k.took, "another time of loading");
            if (!stale) expect(!surely_over(k), "found what is out of date");
            if (found.left() > 0ns) {
                expect(!surely_over(k), "fresh though out of date");
                expect(found.left() <= k.until - now_, "more time left than there is");
                if (idle_ == 0ns) {
                    expect(found.left() >= k.from - now_, "less time left than there is");
                    k.from = k.until = now_ + found.left(); // drawn, and now known
                }
                k.used = now_;
            } else {
                expect(!surely_good(k), "stale though good");
                expect(found.stale_for() < keep_stale_ + 1ns, "more stale than it may be");
            }
        } else if (found.negative()) {
            if (absent == absences_.end()) return expect(false, "found an absence that is not there");
            expect(stale ? now_ < absent->second.until + keep_stale_ : now_ < absent->second.until, "an absence out of date");
        } else if (at != values_.end()) {
            expect(!surely_good(at->second), "missed what is there");
        }
    }

    void one(int key, int value, std::string* story)
    {
        unsigned const what = pick(20);
        if (story != nullptr)
            *story += "\n  at " + std::to_string(now_.time_since_epoch().count()) + " action " + std::to_string(what) + " key " +
                      std::to_string(key);
        may_evict_ = false;
        switch (what) {
        case 0: put_absent(key); break;
        case 1: {
            erasing_ = true;
            bool const there = values_.contains(key);
            bool const erased = store_.erase(key);
            expect(there ? erased : !erased || absences_.contains(key), "erase says otherwise");
            expect(!values_.contains(key), "an erasure was not told");
            absences_.erase(key);
            invalidated(key);
            erasing_ = false;
            break;
        }
        case 2: {
            leases_[static_cast<std::size_t>(key)] = {store_.lease(key), true, invalidations_};
            break;
        }
        case 3: {
            if (pick(4) != 0) break;
            clearing_ = true;
            store_.clear();
            clearing_ = false;
            expect(values_.empty(), "clear left something");
            absences_.clear();
            for (int each = 0; each < keys; ++each) invalidated(each);
            break;
        }
        case 4: {
            erasing_ = true;
            std::size_t const before = values_.size();
            std::size_t const erased = store_.erase_if([&](int k, Value const& v) { return k % 3 == 0 || number(v) % 5 == 0; });
            erasing_ = false;
            expect(erased == before - values_.size(), "erase_if counts otherwise");
            for (auto const& [k, v] : values_) expect(k % 3 != 0 && v.value % 5 != 0, "erase_if left what it should not");
            for (int each = 0; each < keys; ++each) invalidated(each);
            break;
        }
        case 5: {
            capacity_ = 1 + pick(2 * keys);
            if (max_weight_ != 0) max_weight_ = 1 + pick(40);
            may_evict_ = true;
            store_.resize(capacity_, now_, max_weight_);
            break;
        }
        case 6:
            ttl_ = duration(1 + pick(60));
            negative_ttl_ = pick(3) == 0 ? 0ns : 20ns;
            store_.reconfigure({.ttl = ttl_, .jitter = jitter_, .negative_ttl = negative_ttl_, .keep_stale = keep_stale_});
            break;
        case 7: {
            std::map<int, int> seen;
            store_.for_each(now_, [&](auto const& each) {
                expect(seen.emplace(each.key, number(each.value)).second, "for_each told a key twice");
                auto const at = values_.find(each.key);
                expect(at != values_.end() && at->second.value == number(each.value), "for_each told what is not there");
                expect(at == values_.end() || (each.left > 0ns && each.left <= at->second.until - now_), "for_each told another time left");
            });
            for (auto const& [k, v] : values_) expect(!surely_good(v) || seen.contains(k), "for_each left something out");
            break;
        }
        case 8: check(key, store_.find_stale(key, now_), true); break;
        case 9: {
            auto const at = values_.find(key);
            bool const hit = store_.visit(key, now_, [&](Value const& v, weir::answer_times const& times) {
                expect(at != values_.end() && at->second.value == number(v), "visited another value");
                expect(times.left > 0ns, "visited what is out of date");
            });
            if (at != values_.end()) {
                expect(hit || !surely_good(at->second), "visit missed what is there");
                expect(!hit || !surely_over(at->second), "visited what is out of date");
                if (hit) at->second.used = now_;
            } else
                expect(!hit, "visited what is not there");
            break;
        }
        case 10:
        case 11:
        case 12:
        case 13:
        case 14: put(key, value); break;
        default: check(key, store_.find(key, now_), false);
        }
    }

    void compare()
    {
        expect(store_.size() == values_.size(), "another number of values");
        expect(values_.size() <= capacity_, "more values than the capacity");
        auto const s = store_.stats();
        expect(s.weight == weight_ && weight_ <= max_weight_, "another weight, or too much");
        expect(s.negative_answers <= std::max<std::size_t>(capacity_ / 10, 1), "too many negative answers");
        // Negative answers are counted with the others, but told to nobody.
        expect(s.evicted >= told_[3] && s.expired >= told_[2] && s.replaced >= told_[0] && s.erased >= told_[1] && s.cleared >= told_[4],
               "stats count less than was told");
    }

    static constexpr time_point never = time_point::max();

    std::mt19937 random_;
    time_point now_{1h};
    std::size_t capacity_;
    double jitter_;
    duration ttl_ = 40ns;
    duration negative_ttl_, keep_stale_;
    std::uint64_t max_weight_;
    duration idle_;
    std::map<int, kept> values_;
    std::map<int, absence> absences_;
    struct held {
        std::optional<weir::store_lease> lease;
        bool holds = false;
        unsigned at = 0; // of the invalidations
    };
    std::array<held, keys> leases_{};
    unsigned invalidations_ = 0; // of any key
    std::array<std::uint64_t, 5> told_{};
    std::uint64_t weight_ = 0;
    bool may_evict_ = false, erasing_ = false, clearing_ = false;
    int replacing_ = -1;
    std::string wrong_;
    store store_;
};

template<class Value, class Threading>
void run(std::uint64_t first, std::uint64_t count)
{
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        std::string const wrong = schedule<Value, Threading>(seed).run(nullptr);
        if (wrong.empty()) continue;
        std::string story;
        schedule<Value, Threading>(seed).run(&story);
        FAIL("seed " << seed << ": " << wrong << story);
    }
}

} // namespace

TEST_CASE("store: random schedules of all that it does go as in a map, plain values")
{
    run<int, weir::shared>(weir_test::first_seed(), weir_test::schedules() / 2);
}
TEST_CASE("store: random schedules of all that it does go as in a map, shared values")
{
    run<std::shared_ptr<int const>, weir::shared>(weir_test::first_seed(), weir_test::schedules() / 2);
}
TEST_CASE("store: random schedules of all that it does go as in a map, confined")
{
    run<int, weir::confined>(weir_test::first_seed(), weir_test::schedules() / 2);
}

TEST_CASE("store: random schedules of its index go as in a map from slots to hashes, also where groups overflow")
{
    constexpr auto none = ~std::uint32_t{};
    for (std::uint64_t seed = weir_test::first_seed(), end = seed + weir_test::schedules() / 4; seed != end; ++seed) {
        std::mt19937_64 random(seed);
        auto const slots = static_cast<std::uint32_t>(1 + random() % 40);
        std::uint32_t const spread = 1 + static_cast<std::uint32_t>(random() % 3); // few groups and few signs, so that they collide
        weir::detail::slot_index<weir::confined> index(slots);
        std::map<std::uint32_t, std::uint32_t> in; // hash by slot
        auto const a_hash = [&] {
            return static_cast<std::uint32_t>(random() % spread) * 0x5555'5555u + static_cast<std::uint32_t>(random() % 3);
        };
        auto const hash_of = [&](std::uint32_t slot) { return in.at(slot); };
        std::string wrong;
        for (int step = 0; step < 60 && wrong.empty(); ++step) {
            auto const at = static_cast<std::uint32_t>(random() % slots);
            auto const other = static_cast<std::uint32_t>(random() % slots);
            if (auto const there = in.find(at); there == in.end()) {
                in[at] = a_hash();
                index.insert(in[at], at);
            } else if (random() % 4 == 0 && !in.contains(other)) {
                index.replace(there->second, at, other);
                in[other] = there->second;
                in.erase(at);
            } else {
                index.erase(there->second, at, hash_of);
                in.erase(at);
            }
            for (auto const& [slot, hash] : in)
                if (index.find(hash, [&, wanted = slot](std::uint32_t seen) { return seen == wanted; }) != slot) wrong = "not found";
            std::uint32_t const hash = a_hash();
            std::size_t seen = 0;
            auto const count = [&](std::uint32_t slot) {
                auto const there = in.find(slot);
                seen += there != in.end() && there->second == hash;
                return there == in.end();
            };
            if (index.find(hash, count) != none) wrong = "names a slot that is not in";
            std::size_t entered = 0;
            for (auto const& each : in) entered += each.second == hash;
            if (seen != entered) wrong = "of those with one hash some are not found, or some twice";
            if (index.likely(hash) == none && entered != 0) wrong = "said to be absent";
        }
        if (!wrong.empty()) FAIL("seed " << seed << ": " << wrong);
    }
}
