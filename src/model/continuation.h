/* continuation: a run that only planned, or said nothing, is sent on, twice a
 * chain at most; then somebody has to look (EX-70). */
#ifndef BULLDOG_MODEL_CONTINUATION_H
#define BULLDOG_MODEL_CONTINUATION_H

#include "model/follow_up.h"

#define CONTINUATIONS_MAX 2

/* After release and promotion. Sets e->followed when the work goes on, or was handed up. */
err_t continuation_settle(struct db *db, struct ended *e) MUST_CHECK;

#endif
