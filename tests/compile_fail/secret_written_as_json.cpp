// expect: does_not_have_this_type__describe_it_with_BOOST_DESCRIBE_STRUCT_or_specialise_weir_json_form
// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/secret.hpp>
#include <weir/validate/write_json.hpp>

#include <string>

int main()
{
    weir::secret const password{"open sesame"};
    std::string out;
#ifdef WEIR_MENDED
    static_cast<void>(weir::write_json(password.reveal(), out));
#else
    static_cast<void>(weir::write_json(password, out));
#endif
}
