// expect: policy<{anonymous}::digits>::does_not_meet_the_contract_of_a<weir::v0::codec>
// expect-clang: policy<(anonymous namespace)::digits>::does_not_meet_the_contract_of_a<weir::codec>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>

#include <string>

namespace {
struct digits {
    using role = weir::codec;
    static constexpr std::string_view name = "digits";
    using inner_request = int;
    template<class Value>
    using outer_value = std::string;
#ifdef WEIR_MENDED
    weir::admission<> decode(auto& call, int& into)
    {
        into = static_cast<int>(call.request().size());
        return weir::admitted;
    }
#endif
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
