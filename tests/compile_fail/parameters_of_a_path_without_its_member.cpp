// expect: have_a_member_for_each_name_in_braces_of<weir::v0::in_path
// expect-clang: have_a_member_for_each_name_in_braces_of<weir::in_path
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/parameters.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct asked {
    std::string account{};
};
BOOST_DESCRIBE_STRUCT(asked, (), (account))

int main()
{
#ifdef WEIR_MENDED
    weir::parameters<asked, weir::in_path<"/accounts/{account}">> read;
#else
    weir::parameters<asked, weir::in_path<"/accounts/{id}">> read;
#endif
    static_cast<void>(read);
}
