// expect: codec<{anonymous}::digits>::has_to_state_its_outer_value_for<int>
// expect-clang: codec<(anonymous namespace)::digits>::has_to_state_its_outer_value_for<int>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>

#include <string>

namespace {
struct digits {
    using role = weir::codec;
    static constexpr std::string_view name = "digits";
    using inner_request = int;
#ifdef WEIR_MENDED
    template<class Value>
    using outer_value = std::string;
#endif
    weir::admission<> decode(auto& call, int& into)
    {
        into = static_cast<int>(call.request().size());
        return weir::admitted;
    }
    weir::result<std::string> encode(auto&, int&& value)
    {
        return std::to_string(value);
    }
};
} // namespace

int main()
{
    weir::pipeline svc{digits{}, [](int n) { return n; }};
    static_cast<void>(svc(std::string("4")));
}
