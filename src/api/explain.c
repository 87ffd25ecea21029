/* explain: why an issue moves, or does not (EX-2), and what the engine decided about it. */
#include "model/explain.h"
#include "api/handlers.h"
#include "model/blocker_diagnostics.h"
#include "base/text.h"
#include "model/history.h"

#include <stdlib.h>

#define OFFSET_MAX 1000000

err_t issue_explain(struct req *r)
{
    const struct issue *root = &r->issue;
    struct explained x;
    TRY(explain_load(r->db, r->company_id, &root, 1, &x));
    explain_write(r->arena, &r->w, &x, 0);
    return OK;
}

err_t issue_history(struct req *r)
{
    return history_write(r->db, &r->w, &r->issue, query_limit(r, "limit", 200, HISTORY_LIST_MAX));
}

static int offset_of(const struct req *r)
{
    const char *text = query(r, "offset");
    long n = text ? strtol(text, NULL, 10) : 0;
    return n < 0 ? 0 : n > OFFSET_MAX ? OFFSET_MAX : (int)n;
}

err_t company_explain(struct req *r)
{
    const char *state = query(r, "state");
    bool known = state == NULL;
    for (int s = 0; s < EXPLAIN_STATES; s++) known |= text_is(state, explain_state_name((enum explain_state)s));
    if (!known)
        return unprocessable(r, "Unknown state \"%s\": live, waiting, recovering, held, parked, terminal or dead",
                             state);
    return explain_company_write(r->db, &r->w, r->company_id, state, query_limit(r, "limit", 200, EXPLAIN_LIST_MAX),
                                 offset_of(r));
}

err_t issue_blocker_diagnostics(struct req *r) { return blocker_diagnostics_write(r->db, &r->w, &r->issue); }
