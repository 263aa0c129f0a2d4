// expect: is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form<weir::v0::secret
// expect-clang: is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form<weir::secret
// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/secret.hpp>
#include <weir/validate/masked.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct login {
    std::string user{};
    weir::secret<> password{};
};
#ifdef WEIR_MENDED
BOOST_DESCRIBE_STRUCT(login, (), (user))
#else
BOOST_DESCRIBE_STRUCT(login, (), (user, password))
#endif

int main()
{
    static_cast<void>(weir::masked<weir::common_mask>(login{}));
}
