// expect: add_a_policy_that_provides<weir::v0::opened_field
// expect-clang: add_a_policy_that_provides<weir::opened_field
// SPDX-License-Identifier: BSL-1.0
#include "../sign/request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/sealed_field.hpp>

#include <functional>

int length_of(test::request const&, weir::view<weir::opened_field<"password">> facts)
{
    return static_cast<int>(facts.get<weir::opened_field<"password">>()->size());
}

int main()
{
    weir::jwe_key const key(weir::secret<>("a key in PEM"));
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::sealed_field<"password">(std::cref(key), weir::by_header<"x-password">), length_of};
#else
    weir::pipeline svc{weir::sealed_field<"pin">(std::cref(key), weir::by_header<"x-password">), length_of};
#endif
    test::request const r;
    static_cast<void>(svc(r));
}
