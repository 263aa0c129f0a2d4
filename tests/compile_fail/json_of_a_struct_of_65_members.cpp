// expect: weir::v0::advice::json<{anonymous}::wide>::has_at_most_64_members_a_struct__nest_some_of_them
// expect-clang: json<(anonymous namespace)::wide>::has_at_most_64_members_a_struct__nest_some_of_them
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/read_json.hpp>

#include <boost/describe/class.hpp>

namespace {
struct first {
    int a0{}, a1{}, a2{}, a3{}, a4{}, a5{}, a6{}, a7{}, a8{}, a9{}, b0{}, b1{}, b2{}, b3{}, b4{}, b5{}, b6{}, b7{}, b8{}, b9{}, c0{}, c1{};
};
BOOST_DESCRIBE_STRUCT(first, (), (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1))
struct second {
    int d0{}, d1{}, d2{}, d3{}, d4{}, d5{}, d6{}, d7{}, d8{}, d9{}, e0{}, e1{}, e2{}, e3{}, e4{}, e5{}, e6{}, e7{}, e8{}, e9{}, f0{}, f1{};
};
BOOST_DESCRIBE_STRUCT(second, (), (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1))
struct wide : first, second {
    int g0{}, g1{}, g2{}, g3{}, g4{}, g5{}, g6{}, g7{}, g8{}, g9{}, h0{}, h1{}, h2{}, h3{}, h4{}, h5{}, h6{}, h7{}, h8{}, h9{}, last{};
};
#ifdef WEIR_MENDED
BOOST_DESCRIBE_STRUCT(wide, (first, second), (g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9))
#else
BOOST_DESCRIBE_STRUCT(wide, (first, second), (g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, last))
#endif
} // namespace

int main()
{
    return weir::read_json<wide>("{}").has_value();
}
