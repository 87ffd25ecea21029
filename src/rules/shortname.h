/* shortname: the url key of a name (AR-6, WS-12). Pure. */
#ifndef BULLDOG_RULES_SHORTNAME_H
#define BULLDOG_RULES_SHORTNAME_H

#include "base/arena.h"

/* Trimmed, lower-case, runs outside [a-z0-9] become one '-', none at the ends.
 * NULL when nothing is left. */
const char *shortname(struct arena *a, const char *name);

#endif
