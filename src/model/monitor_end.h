/* monitor_end: a monitor whose bounds are used up, or that can wake nobody: the
 * issue lost its path, and somebody is told (EX-94). */
#ifndef BULLDOG_MODEL_MONITOR_END_H
#define BULLDOG_MODEL_MONITOR_END_H

#include "rules/monitor.h"
#include "store/entity.h"

/* By the monitor's recoveryPolicy: its agent is woken, a recovery issue is made, or the board is asked. */
err_t monitor_exhaust(struct db *db, const struct issue *issue, const struct monitor *m, const char *reason) MUST_CHECK;
/* Nobody can be woken: the board is asked. */
err_t monitor_lost(struct db *db, const struct issue *issue, const char *reason) MUST_CHECK;

#endif
