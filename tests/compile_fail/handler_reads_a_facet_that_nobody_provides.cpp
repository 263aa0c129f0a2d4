// expect: add_a_policy_that_provides<tenant>::outward_of<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

struct tenant {
    int number = 0;
};
struct who {
    using role = weir::gate;
    using provides = weir::facets<tenant>;
    static constexpr std::string_view name = "who";
    weir::admission<> admit(auto& call) const
    {
        call.set(tenant{7});
        return weir::admitted;
    }
};

int main()
{
    auto const handler = [](int x, weir::view<weir::deadline, tenant> v) { return x + v.get<tenant>().number; };
#ifdef WEIR_MENDED
    weir::pipeline svc{who{}, handler};
#else
    weir::pipeline svc{handler};
#endif
    static_cast<void>(svc(1));
}
