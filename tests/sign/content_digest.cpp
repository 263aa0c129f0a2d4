// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/content_digest.hpp>

#include <doctest/doctest.h>

#include <string>

using weir::check_content_digest;
using weir::content_digest;
using weir::digest_verdict;

TEST_CASE("content_digest: the examples of RFC 9421 and RFC 9530")
{
    CHECK(content_digest(R"({"hello": "world"})") == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
    CHECK(content_digest(R"({"hello": "world"})", weir::digest_kind::sha_512) ==
          "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:");
    CHECK(content_digest("") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
}

TEST_CASE("content_digest: what it makes it takes, for that body alone")
{
    for (auto const kind : {weir::digest_kind::sha_256, weir::digest_kind::sha_512}) {
        std::string const field = content_digest("body", kind);
        CHECK(check_content_digest(field, "body") == digest_verdict::right);
        CHECK(check_content_digest(field, "Body") == digest_verdict::wrong);
        CHECK(check_content_digest(field + ", md5=:AAAA:", "body") == digest_verdict::right);
    }
}

TEST_CASE("content_digest: of several digests none may be wrong")
{
    std::string const right = content_digest("body"), other = content_digest("other", weir::digest_kind::sha_512);
    CHECK(check_content_digest(right + ", " + content_digest("body", weir::digest_kind::sha_512), "body") == digest_verdict::right);
    CHECK(check_content_digest(right + ", " + other, "body") == digest_verdict::wrong);
    CHECK(check_content_digest(other + ", " + right, "body") == digest_verdict::wrong);
    CHECK(check_content_digest("sha-256=:AAAA:", "body") == digest_verdict::wrong);
}

TEST_CASE("content_digest: what says nothing proves nothing")
{
    CHECK(check_content_digest("md5=:AAAA:", "body") == digest_verdict::unknown);
    CHECK(check_content_digest("", "body") == digest_verdict::malformed);
    CHECK(check_content_digest("sha-256=abc", "body") == digest_verdict::malformed);
    CHECK(check_content_digest("sha-256", "body") == digest_verdict::malformed);
    CHECK(check_content_digest("sha-256=(:AAAA:)", "body") == digest_verdict::malformed);
    CHECK(check_content_digest("SHA-256=:AAAA:", "body") == digest_verdict::malformed);
    std::string const right = content_digest("body");
    CHECK(check_content_digest(right + ", " + right, "body") == digest_verdict::malformed);
    CHECK(check_content_digest(content_digest("evil") + ", " + right, "body") == digest_verdict::malformed);
}
