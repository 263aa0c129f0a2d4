// expect: a_secret_is_not_printed__call_reveal_where_its_bytes_are_needed
// expect-clang: overload resolution selected deleted operator '<<'
// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/secret.hpp>

#include <iostream>

int main()
{
    weir::secret const password{"open sesame"};
#ifdef WEIR_MENDED
    std::cout << password.reveal();
#else
    std::cout << password;
#endif
}
