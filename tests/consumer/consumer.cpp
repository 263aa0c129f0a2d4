// SPDX-License-Identifier: BSL-1.0
#include <weir/core/result.hpp>
#include <weir/version.hpp>

#include <cstdio>

int main()
{
    weir::result<int> const answer = 42;
    std::printf("weir %d.%d.%d\n", weir::version::major, weir::version::minor, weir::version::patch);
    return answer.has_value() && *answer == 42 ? 0 : 1;
}
