// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/signature_facts.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

TEST_CASE("signature_facts: signer and nonce together make the id")
{
    auto const id = [](std::string signer, std::string unique) {
        return std::string(weir::signature_facts(weir::message_check{.signer = std::move(signer), .unique = std::move(unique)}).id());
    };
    std::set<std::string> const ids{id("shop", "1"), id("shop", "2"), id("bank", "1"), id("sho", "p1"), id("", "shop1"), id("4:shop", "1")};
    CHECK(ids.size() == 6);
    for (std::string const& i : ids) CHECK(i.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(id("shop", "1") == id("shop", "1"));
    CHECK(id("shop", "1").size() == 32);
}
