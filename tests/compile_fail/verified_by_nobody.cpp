// expect: private
// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/claims.hpp>
#include <weir/sign/verified.hpp>

int main()
{
    weir::verified<weir::claims> forged(std::make_shared<weir::claims const>());
}
