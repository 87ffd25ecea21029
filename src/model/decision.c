/* decision: the rows of engine_decisions. */
#include "model/decision.h"

#include "base/id.h"

err_t decision_record(struct db *db, const struct decision *d)
{
    struct arena *a = db_arena(db);
    int64_t n;
    return db_exec(
        db, &n,
        "INSERT INTO engine_decisions (id, company_id, issue_id, agent_id, run_id, wake_id, decision, reason, details,"
        " subject, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (subject) DO NOTHING",
        P(V_ID(id_new(a)), V_ID(d->company_id), V_ID(d->issue_id), V_ID(d->agent_id), V_ID(d->run_id), V_ID(d->wake_id),
          V_TEXT(d->decision), V_TEXT(d->reason), V_JSON(d->details ? json_text(a, d->details) : NULL),
          V_TEXT(d->subject), V_TIME(clock_now())));
}

err_t decision_prune(struct db *db, instant_t before, int64_t *n)
{
    return db_exec(db, n, "DELETE FROM engine_decisions WHERE created_at < $1", P(V_TIME(before)));
}
