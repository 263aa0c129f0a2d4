// SPDX-License-Identifier: BSL-1.0
// Checks that the gateway takes other settings on SIGHUP while it serves: they apply at once, what its policies know stays, a bad file
// changes nothing and is told by the path of what is wrong in it, and what cannot change while it runs is named.
// usage: gateway_check_reload gateway.json
#include "demo_keys.hpp"
#include "scene.hpp"
#include "stage.hpp"
#include "visitor.hpp"

#include <weir/sign/canonical.hpp>
#include <weir/sign/random_nonce.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace gateway;

/// The gateway's settings in a file of this test's own.
class settings_file {
public:
    settings_file(std::string const& original, demo_keys const& keys) : path_(fmt::format("{}.{}", original, ::getpid()))
    {
        std::ifstream in(original);
        whole_ = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
        // Nothing comes back within an hour, so that what is left of a limit shows what is known of it.
        set("/routes/quotes/rate", R"({"permits": 1, "per": "1h", "burst": 3, "clients": 100})");
        set("/routes/quotes/cache/ttl", R"("1h")");
        set("/routes/quotes/cache/jitter", "0");
        set("/tokens/jwks", fmt::format(R"("{}")", keys.path("issuer.jwks")));
        set("/identity/key", fmt::format(R"("{}")", keys.path("gateway-1.pem")));
    }
    ~settings_file() { static_cast<void>(std::remove(path_.c_str())); }
    settings_file(settings_file const&) = delete;
    settings_file& operator=(settings_file const&) = delete;

    void set(std::string_view member, std::string_view value)
    {
        whole_.at_pointer(member) = json::parse(value);
        write(json::serialize(whole_));
    }
    void write(std::string_view text) const
    {
        // As an operator's tools do: the file is there, whole, or the old one is.
        std::string const fresh = path_ + ".new";
        std::ofstream(fresh) << text;
        if (std::rename(fresh.c_str(), path_.c_str()) != 0) throw std::runtime_error("cannot write " + path_);
    }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }

private:
    std::string path_;
    json::value whole_;
};

class check {
public:
    explicit check(std::string const& original)
        : file_(original, keys_),
          stage_(file_.path(), keys_, {}, {"/listen/port=0", "/actuator/port=0"}),
          guest_(context_, keys_, stage_.port, stage_.actuator_port, stage_.quotes_port, stage_.orders_port),
          scheme_(stage_.settings.orders.signature.scheme)
    {
    }

    int run()
    {
        std::exception_ptr thrown;
        asio::co_spawn(context_, all(), [&](std::exception_ptr e) {
            thrown = e;
            context_.stop();
        });
        context_.run_for(std::chrono::seconds(60));
        if (thrown) std::rethrow_exception(thrown);
        expect(finished_, "the check ends within a minute");
        expect(stage_.end_gateway() == 0, "the gateway ends well on SIGTERM, though it waits for other signals, too");
        for (std::string const& each : scene_.unmet()) fmt::print("not so: {}\n", each);
        if (scene_.unmet().empty()) fmt::print("settings are reloaded, and bad ones are not\n");
        return scene_.unmet().empty() ? 0 : 1;
    }

private:
    void expect(bool met, std::string what) { scene_.expect(met, std::move(what)); }

    /// What the gateway says to a SIGHUP.
    std::string hang_up()
    {
        stage_.itself().send_signal(SIGHUP);
        auto const line = stage_.itself().next_line(std::chrono::seconds(20));
        if (!line) throw std::runtime_error("the gateway says nothing to SIGHUP");
        return *line;
    }
    void expect_said(std::string_view expected, std::string_view when)
    {
        std::string const said = hang_up();
        expect(said == expected, fmt::format("{}\n  expected: {}\n  said:     {}", when, expected, said));
    }
    std::string reloaded(std::string_view rest) { return fmt::format("reloaded {}: {}", file_.path(), rest); }
    std::string not_reloaded(std::string_view why)
    {
        return fmt::format("not reloaded, the settings stay as they are: {}: {}", file_.path(), why);
    }

    asio::awaitable<unsigned> quote()
    {
        answer const got = co_await guest_.get(scene_, "/quotes?symbol=ACME");
        if (got.status == 200) {
            if (quote_.empty()) quote_ = got.response.body();
            expect(got.response.body() == quote_, "the cache keeps its entry: prices move with every look, this one does not");
        }
        co_return got.status;
    }
    asio::awaitable<unsigned> order(std::string_view key)
    {
        weir::key_ring<> const keys{{{.app = "shop", .key = weir::secret(std::string(key))}}};
        http::request made = guest_.make("POST", "/orders", R"({"symbol":"ACME","amount":3})");
        made.set(http::field::content_type, "application/json");
        auto const at = std::chrono::time_point_cast<weir::wall_time::duration>(std::chrono::system_clock::now());
        static_cast<void>(scheme_.sign(made, {.app = "shop", .device = "till-7", .nonce = weir::random_nonce().view(), .at = at}, keys));
        answer const got = co_await guest_.ask(scene_, made);
        co_return got.status;
    }

    asio::awaitable<void> all()
    {
        for (int i = 0; i < 3; ++i) expect(co_await quote() == 200, "a burst of three");
        expect(co_await quote() == 429, "the fourth is over the limit");
        expect_said(reloaded("changed: nothing"), "the same file again");
        expect(co_await quote() == 429, "nothing is forgotten");

        file_.set("/routes/quotes/rate/burst", "5");
        expect_said(reloaded("changed: /routes/quotes/rate/burst"), "a larger burst");
        for (int i = 0; i < 2; ++i) expect(co_await quote() == 200, "two more of five");
        expect(co_await quote() == 429, "three of the five were used before");

        co_await bad_files();

        file_.set("/routes/quotes/rate/burst", "6");
        file_.set("/routes/quotes/rate/clients", "200");
        file_.set("/listen/address", R"("127.0.0.2")");
        file_.set("/upstreams/quotes/host", R"("127.0.0.3")");
        expect_said(reloaded("changed: /routes/quotes/rate/burst; not before a restart: /listen/address, /upstreams/quotes/host, "
                             "/routes/quotes/rate/clients"),
                    "what cannot change is named, the rest is done");
        expect(co_await quote() == 200, "one more of six, at the old address");
        expect(co_await quote() == 429, "and no more");

        constexpr std::string_view before = "only-for-this-example-7f3a91", after = "another-key-for-this-example";
        expect(co_await order(before) == 201, "an order signed with the key");
        file_.set("/keys/0/key", fmt::format(R"("{}")", after));
        std::string const said = hang_up();
        expect(said == reloaded("changed: /keys"), "another key is told by its path, and not shown: " + said);
        expect(co_await order(before) == 401, "the old key is of no use any more");
        expect(co_await order(after) == 201, "the new one is");
        co_await other_keys();
        finished_ = true;
    }

    // Keys are replaced with overlap: first both are known, then the new one alone.
    asio::awaitable<void> other_keys()
    {
        file_.set("/routes/quotes/rate/burst", "100");
        file_.set("/routes/quotes/loads/max_loads", "4");
        file_.set("/routes/quotes/alarm/drop", "0.5");
        expect_said(changed("/routes/quotes/rate/burst, /routes/quotes/loads/max_loads, /routes/quotes/alarm/drop"),
                    "more for each client");
        expect(co_await guest_.figure("weir_policy_limit", "load_limit") == 4, "fewer loads at a time");
        token_issuer const next("issuer-2");
        std::string const old_token = guest_.token, new_token = next.token();
        auto const with = [&](std::string const& token) -> asio::awaitable<unsigned> {
            guest_.token = token;
            co_return co_await quote();
        };
        expect(co_await with(new_token) == 401, "nobody knows the new issuer's key yet");
        keys_.write_jwks({keys_.issuer.jwk(), next.jwk()});
        expect(co_await with(new_token) == 401, "not before it is told");
        expect_said(changed("/tokens/jwks"), "another file of keys under the same name");
        expect(co_await with(new_token) == 200 && co_await with(old_token) == 200, "both keys are good");
        keys_.write("issuer.jwks", R"({"keys":[]})");
        expect_said(not_reloaded(keys_.path("issuer.jwks"), "/tokens/jwks", "expected a public key for ES256, EdDSA, PS256 or RS256"),
                    "no keys at all");
        expect(co_await with(new_token) == 200 && co_await with(old_token) == 200, "they still are");
        keys_.write_jwks({next.jwk()});
        expect_said(changed("/tokens/jwks"), "the old key is gone");
        expect(co_await with(old_token) == 401, "so are its tokens, also those that were seen before");
        expect(co_await with(new_token) == 200, "the new one stays");
        file_.set("/tokens/audience", R"("prices")");
        expect_said(changed("/tokens/audience"), "another audience");
        std::string const for_prices = next.token({.audience = "prices"});
        expect(co_await with(new_token) == 401 && co_await with(for_prices) == 200, "counts at once");

        // Of an issuer who publishes no set, one key in PEM.
        token_issuer const third("issuer-3");
        std::string const of_third = third.token();
        keys_.write("issuer.pub.pem", third.pair().public_pem());
        file_.set(
            "/tokens",
            fmt::format(R"({{"issuer": "https://login.example", "audience": "quotes", "leeway": "2s", "key": "{}", "algorithm": "ES256",
                                              "kid": "issuer-3"}})",
                        keys_.path("issuer.pub.pem")));
        expect_said(changed("/tokens/audience, /tokens/key, /tokens/algorithm, /tokens/kid"), "one key in PEM");
        expect(co_await with(for_prices) == 401 && co_await with(of_third) == 200, "it is the only one that counts");

        expect(co_await sealed_with("gateway-1"), "answers are sealed with the first key");
        file_.set("/identity", fmt::format(R"({{"name": "gateway-2", "key": "{}"}})", keys_.path("gateway-2.pem")));
        expect_said(changed("/identity/name, /identity/key"), "the gateway's next key");
        expect(co_await sealed_with("gateway-2"), "answers are sealed with the second");
        expect(co_await order("another-key-for-this-example") == 201, "and the services take what is signed with it");
        file_.set("/identity/key", fmt::format(R"("{}")", keys_.path("gateway-2.pub.pem")));
        expect_said(not_reloaded(keys_.path("gateway-2.pub.pem"), "/identity/key", "key: expected a private key, for this one has to sign"),
                    "the wrong half");
        expect(co_await sealed_with("gateway-2"), "which changes nothing");
    }
    asio::awaitable<bool> sealed_with(std::string key)
    {
        answer const got = co_await guest_.get(scene_, "/quotes?symbol=ACME");
        auto const input = weir::header(got.response, "signature-input");
        co_return got.status == 200 && input && input->find(fmt::format("keyid=\"{}\"", key)) != std::string_view::npos;
    }
    std::string changed(std::string_view paths) { return reloaded(fmt::format("changed: {}", paths)); }
    std::string not_reloaded(std::string_view file, std::string_view member, std::string_view why)
    {
        return not_reloaded(fmt::format("{}: {}: {}", member, file, why));
    }

    asio::awaitable<void> bad_files()
    {
        std::string const described = co_await guest_.look("/actuator/pipelines");
        file_.set("/routes/quotes/retry/cap", R"("5ms")");
        expect_said(not_reloaded("/routes/quotes/retry: retry.cap: expected from base to 24 h"), "what a policy refuses");
        file_.set("/routes/quotes/retry/cap", R"("100ms")");
        file_.set("/routes/quotes/rate/burst", "50");
        file_.set("/routes/orders/timeout", R"("soon")");
        expect_said(not_reloaded(R"(/routes/orders/timeout: expected a time such as "200ms", "10s" or "5min", found "soon")"),
                    "a good change beside a bad one");
        file_.set("/routes/orders/timeout", R"("1s")");
        file_.set("/keys", R"([{"app": "a", "key": "short"}, {"app": "", "key": "0123456789abcdef"}])");
        expect_said(not_reloaded(fmt::format("/keys/0/key: expected a text of at least 16 bytes, found 5;{}: /keys/1/app: expected a text "
                                             "that is not empty, found \"\"",
                                             file_.path())),
                    "two things at once");
        file_.set("/keys", R"([{"app": "shop", "key": "only-for-this-example-7f3a91"}])");
        file_.write("{\n  \"listen\": nowhere\n}");
        expect_said(not_reloaded("line 2, column 13: syntax error"), "no JSON");
        std::remove(file_.path().c_str());
        expect_said(not_reloaded("cannot be read: No such file or directory"), "no file");
        expect(co_await guest_.look("/actuator/pipelines") == described, "the actuator describes what it did before");
        expect(co_await quote() == 429, "and the limit is what it was");
    }

    asio::io_context context_{1};
    demo_keys keys_;
    settings_file file_;
    stage stage_;
    visitor guest_;
    weir::canonical_scheme scheme_;
    scene scene_{"reload"};
    std::string quote_;
    bool finished_ = false;
};

} // namespace

int main(int argc, char** argv)
try {
    if (argc != 2) {
        fmt::print(stderr, "usage: gateway_check_reload gateway.json\n");
        return 2;
    }
    return check(argv[1]).run();
} catch (std::exception const& e) {
    fmt::print(stderr, "gateway_check_reload: {}\n", e.what());
    return 1;
}
