/* explain_review: paths that the issue's own row names: a later look (P6) and the
 * participant of a pending stage (P3). */
#ifndef BULLDOG_MODEL_EXPLAIN_REVIEW_H
#define BULLDOG_MODEL_EXPLAIN_REVIEW_H

#include "model/explain.h"

/* One statement; x->agents is loaded already. */
err_t explain_review_load(struct db *db, struct explained *x, int count) MUST_CHECK;

#endif
