// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/read_catalogue.hpp>

#include <doctest/doctest.h>

TEST_CASE("read_catalogue: sentences from JSON, all or none")
{
    weir::catalogue c;
    CHECK(weir::read_catalogue(R"({"a value":"ein Wert","at most {0}":"bis zu {0}"})", "de", c).empty());
    CHECK(c.translate("de", "at most 7") == "bis zu 7");
    CHECK(to_string(weir::read_catalogue(R"({"a value":1})", "fr", c)) == "body: expected in each member: a string");
    CHECK(to_string(weir::read_catalogue(R"({"a":"b","a {0}":"{1}"})", "fr", c)) ==
          "catalogue fr: expected a {0}: expected a translation with no other values than the id");
    CHECK(c.translate("fr", "a") == "a");
    CHECK(c.languages().size() == 2);
}
