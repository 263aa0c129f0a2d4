// expect: is_destroyed_twice_by_this_compiler_in_a_co_await__name_it_first_or_pass_weir_owned
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/fallback.hpp>

#include <string>

namespace {
struct request {
    std::string text;
};
} // namespace

boost::asio::awaitable<std::size_t> handler(request const& r)
{
    co_return r.text.size();
}

template<class Pipeline>
boost::asio::awaitable<void> caller(Pipeline& svc)
{
#ifdef WEIR_MENDED
    request const named{"a text"};
    static_cast<void>(co_await svc(named));
#elif defined(__clang__) || __GNUC__ >= 13
#error these do right: it is_destroyed_twice_by_this_compiler_in_a_co_await__name_it_first_or_pass_weir_owned by g++ 12 only
#else
    static_cast<void>(co_await svc(request{"a text"}));
#endif
}

int main()
{
    weir::pipeline svc{weir::fallback{std::size_t{0}}, handler};
    static_cast<void>(caller(svc));
}
