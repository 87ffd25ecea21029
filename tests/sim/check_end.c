/*
 * check_end: what must come true once the faults have stopped. While time
 * passes calmly, no issue may stay without a path longer than its bound
 * (INV-21, asked of rules/explain, the product's own judge); in the end there
 * is none, every accepted comment reached somebody (INV-17), and the rules of
 * check_end_rules hold.
 */
#include "check.h"

#include "base/settings.h"
#include "model/explain.h"
#include "model/issue.h"

#include <stdlib.h>
#include <string.h>

/* ---- INV-21 ---- */

struct stuck {
    char id[ID_SIZE];
    instant_t since; /* found dead first, in calm weather */
    int64_t seen;    /* the number of the look that saw it last */
};
static struct stuck stuck[ISSUES_MAX];
static int stuck_count;
static int64_t looks;

/* D + 2τ, R + 3τ, 3τ; one more τ, because looks and ticks are not at the same moment. Work in
 * progress is looked after when D is over (EX-101), and the two may be set apart. */
static int64_t bound_ms(const char *status)
{
    int64_t tick = settings.tick_ms;
    int64_t dispatch = settings.dispatch_timeout_sec * SECOND_MS, orphan = settings.orphan_stale_sec * SECOND_MS;
    if (strcmp(status, "todo") == 0) return dispatch + 3 * tick;
    if (strcmp(status, "in_progress") == 0) return (orphan > dispatch ? orphan : dispatch) + 4 * tick;
    return 4 * tick;
}

static struct stuck *stuck_of(const char *id)
{
    for (int i = 0; i < stuck_count; i++)
        if (strcmp(stuck[i].id, id) == 0) return &stuck[i];
    if (stuck_count == ISSUES_MAX) broken("the simulator itself", "too many stuck issues");
    struct stuck *s = &stuck[stuck_count++];
    *s = (struct stuck){.since = INSTANT_NONE};
    memcpy(s->id, id, strlen(id) + 1);
    return s;
}

static err_t look(struct db *db, const char *arg)
{
    struct issue *rows;
    struct explained x;
    int n;
    bool last = arg != NULL;
    json_arena(db_arena(db));
    TRY(entity_many(
        db, &ENTITY_issue, &rows, &n,
        "WHERE assignee_agent_id IS NOT NULL AND hidden_at IS NULL AND status NOT IN ('done','cancelled') ORDER BY id",
        P()));
    const struct issue **roots = arena_array(db_arena(db), const struct issue *, n + 1);
    for (int i = 0; i < n; i++) roots[i] = &rows[i];
    TRY(explain_load(db, sim.company, roots, n, &x));
    looks++;
    for (int i = 0; i < n; i++) {
        const struct explain_verdict *v = &x.verdicts[i];
        if (v->state != EXPLAIN_DEAD) continue;
        if (v->next >= 0 && !last) continue; /* behind another: that one is asked, with the bound of its own status */
        struct stuck *s = stuck_of(rows[i].id);
        if (s->since == INSTANT_NONE || s->seen != looks - 1) s->since = sim.now;
        s->seen = looks;
        if (last || sim.now - s->since > bound_ms(rows[i].status))
            broken("INV-21", "%s %s is dead for %d s: %s", rows[i].status, rows[i].id,
                   (int)((sim.now - s->since) / SECOND_MS), v->reason);
    }
    return OK;
}

void check_liveness(void) { check_apart(look, NULL); }

/* ---- INV-17 ---- */

struct ids {
    const char **ids;
    int count, room;
};

static void ids_add(struct arena *a, struct ids *l, const char *id)
{
    if (id == NULL) return;
    if (l->count == l->room) {
        const char **more = arena_array(a, const char *, l->room * 2 + 64);
        if (l->count) memcpy(more, l->ids, sizeof *more * (size_t)l->count);
        l->ids = more;
        l->room = l->room * 2 + 64;
    }
    l->ids[l->count++] = id;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Comment ids in a wake's context, which must be in their order. */
static void ids_of(struct arena *a, struct ids *l, const json_t *context)
{
    const json_t *list = json_object_get(context, "wakeCommentIds");
    const char *before = NULL;
    size_t i;
    json_t *id;
    json_array_foreach (list, i, id) {
        const char *text = json_string_value(id);
        if (before && text && strcmp(before, text) >= 0) broken("INV-17", "%s comes after %s", text, before);
        ids_add(a, l, before = text);
    }
    ids_add(a, l, json_str(context, "commentId"));
    ids_add(a, l, json_str(context, "wakeCommentId"));
}

/* It reached a run that started, or a row that says why not, or waits at a gate. */
static err_t check_comments(struct db *db)
{
    struct arena *a = db_arena(db);
    struct ids told = {0};
    struct rows r ROWS_AUTO = {0}, w ROWS_AUTO = {0};
    TRY(db_query(
        db, &r,
        "SELECT d.context_snapshot FROM heartbeat_run_data d JOIN heartbeat_runs r ON r.id = d.run_id"
        " WHERE r.started_at IS NOT NULL OR (r.status = 'cancelled' AND r.error_code IS NOT NULL) OR r.status IN ('queued','scheduled_retry')",
        P()));
    while (rows_next(&r)) ids_of(a, &told, json_read(row_text(&r, 0)));
    TRY(rows_err(&r));
    TRY(db_query(db, &w,
                 "SELECT payload FROM agent_wakeup_requests WHERE (status = 'skipped' AND reason IS NOT NULL)"
                 " OR (status IN ('failed','cancelled') AND error IS NOT NULL) OR status = 'deferred_issue_execution'",
                 P()));
    while (rows_next(&w)) {
        json_t *payload = json_read(row_text(&w, 0));
        ids_of(a, &told, payload);
        ids_of(a, &told, json_object_get(payload, "_paperclipWakeContext"));
    }
    TRY(rows_err(&w));
    qsort(told.ids, (size_t)told.count, sizeof *told.ids, by_text);
    for (int i = 0; i < sim.comment_count; i++) {
        const char *id = sim.comments[i];
        if (bsearch(&id, told.ids, (size_t)told.count, sizeof id, by_text) == NULL)
            broken("INV-17", "the comment %s reached nobody", id);
    }
    return OK;
}

static err_t check_last(struct db *db, const char *arg)
{
    (void)arg;
    json_arena(db_arena(db));
    for (int i = 0; i < check_end_count; i++) TRY(check_ask(db, &check_end_rules[i], "the end"));
    TRY(check_comments(db));
    TRY(db_int(db, &sim.totals.wakes, 0, "SELECT count(*) FROM agent_wakeup_requests", P()));
    TRY(db_int(db, &sim.totals.runs, 0, "SELECT count(*) FROM heartbeat_runs", P()));
    return db_int(
        db, &sim.totals.recoveries, 0,
        "SELECT (SELECT count(*) FROM heartbeat_runs WHERE retry_of_run_id IS NOT NULL) + (SELECT count(*) FROM activity_log"
        " WHERE action = 'issue.updated' AND actor_id = 'recovery')",
        P());
}

void check_end(void)
{
    check_apart(look, "the end");
    check_apart(check_last, NULL);
}
