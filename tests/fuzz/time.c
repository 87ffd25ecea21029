/* time: an accepted text names an instant whose own text names it again. */
#include "fuzz.h"

#include "base/clock.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[64], own[INSTANT_TEXT_SIZE];
    if (size >= sizeof text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    instant_t t, again;
    if (!instant_parse(text, &t)) return 0;
    instant_format(t, own);
    /* an offset may carry an edge of year 0 or 9999 out of four digits */
    if (own[4] != '-' || own[0] == '-') return 0;
    MUST(instant_parse(own, &again) && again == t);
    MUST(instant_day_start(t) <= t && t - instant_day_start(t) < DAY_MS);
    MUST(instant_month_start(t) <= instant_day_start(t) && t - instant_month_start(t) < 31 * DAY_MS);
    return 0;
}
