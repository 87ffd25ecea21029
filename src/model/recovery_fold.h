/*
 * recovery_fold: an action whose source moved on by itself is cancelled (EX-127,
 * IS-143): in the write that moves it, and by the sweep for writes that do not
 * ask. Comments never fold.
 */
#ifndef BULLDOG_MODEL_RECOVERY_FOLD_H
#define BULLDOG_MODEL_RECOVERY_FOLD_H

#include "model/recovery_action.h"

/* After a write of the issue, in its transaction. touched: its blockers, documents or work products were
 * written, or it was resumed, which the rows do not show. */
err_t recovery_fold_after(struct db *db, const struct actor *actor, const struct issue *before,
                          const struct issue *after, bool touched) MUST_CHECK;
/* What the source shows without a fresh write. */
err_t recovery_fold_check(struct db *db, struct recovery_action *a, const struct issue *issue, bool *folded) MUST_CHECK;

#endif
