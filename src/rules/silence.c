/* silence: the levels. */
#include "rules/silence.h"

enum silence silence_level(const struct silence_facts *f, instant_t now)
{
    if (!f->running || f->since == INSTANT_NONE) return SILENCE_NOT_APPLICABLE;
    if (f->snoozed_until != INSTANT_NONE && f->snoozed_until > now) return SILENCE_SNOOZED;
    int64_t age = now - f->since;
    if (age >= f->critical_ms) return SILENCE_CRITICAL;
    return age >= f->suspicious_ms ? SILENCE_SUSPICIOUS : SILENCE_OK;
}

const char *silence_name(enum silence s)
{
    static const char *const names[] = {"not_applicable", "ok", "suspicious", "critical", "snoozed"};
    return names[s];
}
