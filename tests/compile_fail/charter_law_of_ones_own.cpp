// expect: tags_come_first::move_it_inward_of<other, tag>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

struct tag {
    using role = weir::gate;
    static constexpr std::string_view name = "tag";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct other {
    using role = weir::gate;
    static constexpr std::string_view name = "other";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};

struct tags_come_first {
    static constexpr weir::breach find(weir::composition const& c)
    {
        return c.first_pair([](weir::policy_facts const&, weir::policy_facts const& inner) { return inner.name == "tag"; });
    }
    template<class Outer, class Inner>
    struct move_it_inward_of;
    template<class Outer, class Inner>
    using sentence = move_it_inward_of<Outer, Inner>;
};
using bank = weir::charter<tags_come_first>;

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{tag{}, other{}, bank{}, handler};
#else
    weir::pipeline svc{other{}, tag{}, bank{}, handler};
#endif
    static_cast<void>(svc(1));
}
