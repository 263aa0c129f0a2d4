// expect: weir::verify_jwt wants keys: rs256{pem}, hs256{secret} and the like, or a key_set
// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/verify_jwt.hpp>

int main()
{
    weir::verify_jwt{weir::secret{"a secret alone says no algorithm"}, {.issuer = "bank", .audience = "quotes"}};
}
