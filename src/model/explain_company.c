/* explain_company: every issue of a company, by what it waits for. */
#include "base/text.h"
#include "model/explain.h"

/* The statuses that can have this state: a hint for the query, never the verdict. */
static const char *statuses_for(const char *state)
{
    if (text_is(state, "terminal")) return "('done','cancelled')";
    if (text_is(state, "parked")) return "('backlog')";
    if (text_is(state, "waiting") || text_is(state, "dead"))
        return "('todo','in_progress','in_review','blocked','backlog')";
    return "('backlog','todo','in_progress','in_review','blocked')";
}

static void group_write(struct arena *a, struct jw *w, const struct explained *x, int first, bool *written)
{
    const struct explain_verdict *v = &x->verdicts[first];
    jw_obj(w);
    jw_kstr(w, "state", explain_state_name(v->state));
    jw_kstr(w, "reason", v->reason);
    jw_karr(w, "issues");
    for (int i = first; i < x->roots; i++) {
        if (written[i] || x->verdicts[i].state != v->state || !text_is(x->verdicts[i].reason, v->reason)) continue;
        written[i] = true;
        jw_obj(w);
        issue_ref_write(w, &x->map.refs[i]);
        jw_ktime(w, "since", x->verdicts[i].since);
        jw_kbool(w, "needsAttention", x->verdicts[i].attention);
        jw_kstr(w, "sentence", explain_sentence(a, x, i));
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_obj_end(w);
}

err_t explain_company_write(struct db *db, struct jw *w, const char *company_id, const char *state, int limit,
                            int offset)
{
    static const enum explain_state order[] = {EXPLAIN_DEAD, EXPLAIN_RECOVERING, EXPLAIN_HELD,    EXPLAIN_WAITING,
                                               EXPLAIN_LIVE, EXPLAIN_PARKED,     EXPLAIN_TERMINAL};
    struct arena *a = db_arena(db);
    struct issue *rows;
    struct explained x;
    int n, counts[EXPLAIN_STATES] = {0};
    int64_t total;
    const char *where = arena_printf(a, "company_id = $1 AND hidden_at IS NULL AND status IN %s", statuses_for(state));
    TRY(db_int(db, &total, 0, arena_printf(a, "SELECT count(*) FROM issues WHERE %s", where), P(V_ID(company_id))));
    TRY(entity_many(db, &ENTITY_issue, &rows, &n, arena_printf(a, "WHERE %s ORDER BY id LIMIT $2 OFFSET $3", where),
                    P(V_ID(company_id), V_INT(limit), V_INT(offset))));
    const struct issue **roots = arena_array(a, const struct issue *, n + 1);
    for (int i = 0; i < n; i++) roots[i] = &rows[i];
    TRY(explain_load(db, company_id, roots, n, &x));
    bool *written = arena_array(a, bool, n + 1);
    for (int i = 0; i < n; i++) {
        counts[x.verdicts[i].state]++;
        written[i] = state && !text_is(explain_state_name(x.verdicts[i].state), state);
    }
    jw_obj(w);
    jw_kobj(w, "counts");
    for (int s = 0; s < EXPLAIN_STATES; s++) jw_kint(w, explain_state_name((enum explain_state)s), counts[s]);
    jw_obj_end(w);
    jw_karr(w, "groups");
    for (size_t s = 0; s < EXPLAIN_STATES; s++)
        for (int i = 0; i < n; i++)
            if (!written[i] && x.verdicts[i].state == order[s]) group_write(a, w, &x, i, written);
    jw_arr_end(w);
    jw_kint(w, "total", total);
    jw_kint(w, "examined", n);
    jw_kbool(w, "more", offset + n < total);
    jw_obj_end(w);
    return OK;
}
