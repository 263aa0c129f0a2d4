// SPDX-License-Identifier: BSL-1.0
//
// Whom proxies name: a trusted proxy adds the address of its client behind whatever that client wrote, and the client is then that
// address, or nobody is named; never what the client wrote. The input is what it wrote, also read as an address and a network.
#include "must.hpp"

#include <weir/http/client_ip.hpp>

#include <optional>
#include <string>
#include <string_view>

using weir_fuzz::must;

namespace {

/// What `trusted_proxies` sees of a call.
struct one_call {
    struct asked {
        std::string_view name, value;
        friend std::optional<std::string_view> weir_header(asked const& r, std::string_view wanted)
        {
            return wanted == r.name ? std::optional(r.value) : std::nullopt;
        }
        friend std::string_view weir_peer(asked const&) { return "10.0.0.1"; }
    };

    asked of;
    weir::client_ip found{};

    asked const& request() const { return of; }
    void set(weir::client_ip const& c) { found = c; }
};

weir::client_ip found_by(weir::trusted_proxies& policy, std::string_view name, std::string_view value)
{
    one_call call{.of = {name, value}};
    must(policy.down(call).is_admitted(), "nobody is refused");
    return call.found;
}

void check_field(std::string const& written)
{
    static weir::trusted_proxies common({.networks = {"10.0.0.0/8"}});
    static weir::trusted_proxies standard({.networks = {"10.0.0.0/8"}, .field = weir::forwarding_field::forwarded});
    for (std::string_view const client : {"203.0.113.9", "2001:db8::9"}) {
        auto const address = *weir::ip_address::parse(client);
        auto const plain = found_by(common, "x-forwarded-for", written + ", " + std::string(client));
        must(plain.forwarded() && plain.address() == address, "the proxy's own word counts");

        bool const old = address.is_v4();
        std::string const element = old ? "for=203.0.113.9;proto=https" : "for=\"[2001:db8::9]:4711\"";
        auto const named = found_by(standard, "forwarded", written + ", " + element);
        auto const proxy = *weir::ip_address::parse("10.0.0.1");
        must(named.address() == address ? named.forwarded() : named.address() == proxy && !named.forwarded(), "it counts, or nothing does");
        // A second proxy of one's own in front of the first.
        auto const again = found_by(standard, "forwarded", written + ", " + element + ", for=10.9.9.9");
        must(again.address() == named.address() && again.forwarded() == named.forwarded(), "one's own proxies are passed over");
    }
    // Alone, it may say what it wants.
    (void)found_by(common, "x-forwarded-for", written);
    (void)found_by(standard, "forwarded", written);
}

void check_address(std::string_view text)
{
    if (auto const address = weir::ip_address::parse(text)) {
        must(weir::ip_address::parse(address->to_string()) == *address, "an address is read as it was written");
        must(address->is_v4() == (address->to_string().find(':') == std::string::npos), "an IPv4 address is written as one");
        must(weir::ip_network::parse(text).has_value(), "an address is a network of one");
    }
    if (auto const network = weir::ip_network::parse(text)) {
        auto const base = weir::ip_address::parse(text.substr(0, text.find('/')));
        must(base && network->contains(*base), "a network contains its first address");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    std::string const written(input.rest());
    check_field(written);
    check_address(written);
    return 0;
}
