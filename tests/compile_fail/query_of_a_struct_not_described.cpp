// expect: weir::v0::advice::query<{anonymous}::search>::is_read_into_a_struct__describe_it_with_BOOST_DESCRIBE_STRUCT
// expect-clang: query<(anonymous namespace)::search>::is_read_into_a_struct__describe_it_with_BOOST_DESCRIBE_STRUCT
// SPDX-License-Identifier: BSL-1.0
#include <weir/http/query_parameters.hpp>

#include <boost/describe/class.hpp>

namespace {
struct search {
    int limit = 0;
};
#ifdef WEIR_MENDED
BOOST_DESCRIBE_STRUCT(search, (), (limit))
#endif
} // namespace

int main()
{
    weir::query_parameters<search> codec;
    return codec.stats().refused != 0;
}
