/* orphan: a blocker that nobody owns is given back to the agent that made it (EX-108, EX-14a). */
#ifndef BULLDOG_MODEL_ORPHAN_H
#define BULLDOG_MODEL_ORPHAN_H

#include "store/entity.h"

struct orphan {
    const char *company_id, *issue_id;
};
/* Unassigned todo or blocked issues of agents' making that block open work; read only. */
err_t orphan_page(struct db *db, int limit, struct orphan **out, int *count) MUST_CHECK;
/* Looks again inside the caller's transaction. *done false: its maker cannot take it. */
err_t orphan_adopt(struct db *db, const char *issue_id, bool *done) MUST_CHECK;

#endif
