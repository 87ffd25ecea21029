/* silence: how worrying it is that a running run says nothing (EX-139, AR-68). Pure. A silent run is only ever
 * shown and asked about, never ended for its silence. */
#ifndef BULLDOG_RULES_SILENCE_H
#define BULLDOG_RULES_SILENCE_H

#include "base/clock.h"

#include <stdbool.h>

enum silence { SILENCE_NOT_APPLICABLE, SILENCE_OK, SILENCE_SUSPICIOUS, SILENCE_CRITICAL, SILENCE_SNOOZED };
struct silence_facts {
    bool running;
    instant_t since; /* of the last output, else of the start */
    instant_t snoozed_until;
    int64_t suspicious_ms, critical_ms;
};
enum silence silence_level(const struct silence_facts *f, instant_t now);
const char *silence_name(enum silence s); /* not_applicable, ok, suspicious, critical, snoozed */

#endif
