// expect: is_no_media_type__write_one_such_as_application_json_or_a_range_such_as_text_star
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/content_type.hpp>

int main()
{
#ifdef WEIR_MENDED
    weir::content_type<"application/json"> json;
#else
    weir::content_type<"json"> json;
#endif
    static_cast<void>(json);
}
