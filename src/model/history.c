/* history: one query per kind of row, merged by time. */
#include "model/history.h"

#include "base/text.h"
#include "model/agent.h"
#include "rules/history.h"

#include <stdlib.h>

struct line {
    struct history_entry e;
    int64_t count;
    instant_t last_at;
    const char *agent_id, *wake_id, *run_id, *details;
    int place; /* as it came, for a stable order */
};

struct reading {
    struct db *db;
    struct arena *a;
    const char *issue_id;
    struct line *lines;
    int count, capacity, limit;
    bool more;
};

static void add(struct reading *h, const struct line *proto, const struct history_entry *e)
{
    if (h->count == h->capacity) {
        struct line *grown = arena_array(h->a, struct line, h->capacity * 2);
        memcpy(grown, h->lines, sizeof *grown * (size_t)h->count);
        h->lines = grown;
        h->capacity *= 2;
    }
    struct line *l = &h->lines[h->count];
    *l = *proto;
    l->e = *e;
    l->place = h->count++;
}

static void add_all(struct reading *h, const struct line *proto, const struct history_entry *e, int n)
{
    for (int i = 0; i < n; i++) {
        struct line l = *proto;
        if (i > 0) { /* how often it was repeated belongs to the first */
            l.count = 1;
            l.last_at = INSTANT_NONE;
        }
        add(h, &l, &e[i]);
    }
}

static err_t read_wakes(struct reading *h)
{
    struct rows r ROWS_AUTO = {0};
    int n = 0;
    TRY(db_query(
        h->db, &r,
        "SELECT w.id, w.agent_id, w.status, w.reason, w.error, w.requested_at, w.finished_at, w.updated_at, w.coalesced_count,"
        " w.run_id, r.created_at, r.retry_of_run_id, w.payload FROM agent_wakeup_requests w LEFT JOIN heartbeat_runs r"
        " ON r.id = w.run_id WHERE w.issue_id = $1 ORDER BY w.requested_at DESC, w.id DESC LIMIT $2",
        P(V_ID(h->issue_id), V_INT(h->limit))));
    while (rows_next(&r)) {
        struct history_entry e[HISTORY_PER_ROW];
        const struct history_wake w = {.status = row_text(&r, 2),
                                       .reason = row_text(&r, 3),
                                       .error = row_text(&r, 4),
                                       .requested_at = row_time(&r, 5),
                                       .finished_at = row_time(&r, 6),
                                       .has_run = !row_null(&r, 9),
                                       .run_created_at = row_time(&r, 10),
                                       .run_is_retry = !row_null(&r, 11)};
        bool skipped = text_is(w.status, "skipped") && !w.has_run;
        int64_t more = skipped ? row_int(&r, 8) : 0; /* EX-33: one row, however often */
        const json_t *skip = json_object_get(json_read(row_text(&r, 12)), "heartbeatSkip");
        add_all(h,
                &(struct line){.count = 1 + more,
                               .last_at = more ? row_time(&r, 7) : INSTANT_NONE,
                               .wake_id = row_text(&r, 0),
                               .agent_id = row_text(&r, 1),
                               .run_id = row_text(&r, 9),
                               .details = skip ? json_text(h->a, skip) : NULL},
                e, history_of_wake(&w, e));
        n++;
    }
    h->more |= n == h->limit;
    return rows_err(&r);
}

static err_t read_runs(struct reading *h)
{
    struct rows r ROWS_AUTO = {0};
    int n = 0;
    TRY(db_query(
        h->db, &r,
        "SELECT id, agent_id, status, error_code, wake_reason, scheduled_retry_reason, wakeup_request_id, retry_of_run_id,"
        " created_at, claimed_at, finished_at FROM heartbeat_runs WHERE issue_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
        P(V_ID(h->issue_id), V_INT(h->limit))));
    while (rows_next(&r)) {
        struct history_entry e[HISTORY_PER_ROW];
        const struct history_run run = {.status = row_text(&r, 2),
                                        .error_code = row_text(&r, 3),
                                        .wake_reason = row_text(&r, 4),
                                        .retry_reason = row_text(&r, 5),
                                        .has_wake = !row_null(&r, 6),
                                        .is_retry = !row_null(&r, 7),
                                        .created_at = row_time(&r, 8),
                                        .claimed_at = row_time(&r, 9),
                                        .finished_at = row_time(&r, 10)};
        add_all(h,
                &(struct line){.count = 1,
                               .last_at = INSTANT_NONE,
                               .run_id = row_text(&r, 0),
                               .agent_id = row_text(&r, 1),
                               .wake_id = row_text(&r, 6)},
                e, history_of_run(&run, e));
        n++;
    }
    h->more |= n == h->limit;
    return rows_err(&r);
}

static err_t read_activity(struct reading *h)
{
    struct rows r ROWS_AUTO = {0};
    int n = 0;
    TRY(db_query(
        h->db, &r,
        "SELECT action, agent_id, run_id, details, created_at FROM activity_log WHERE entity_type = 'issue' AND entity_id = $1"
        " AND actor_type = 'system' ORDER BY created_at DESC, id DESC LIMIT $2",
        P(V_TEXT(h->issue_id), V_INT(h->limit))));
    while (rows_next(&r)) {
        const json_t *details = json_read(row_text(&r, 3));
        enum history_kind kind = history_of_activity(row_text(&r, 0), json_str(details, "source"));
        n++;
        if (kind == HISTORY_KINDS) continue;
        const char *cause = json_str(details, "cause");
        add(h,
            &(struct line){.count = 1,
                           .last_at = INSTANT_NONE,
                           .agent_id = row_text(&r, 1),
                           .run_id = row_text(&r, 2),
                           .details = row_text(&r, 3)},
            &(struct history_entry){kind, cause ? cause : row_text(&r, 0), row_time(&r, 4)});
    }
    h->more |= n == h->limit;
    return rows_err(&r);
}

static err_t read_decisions(struct reading *h)
{
    struct rows r ROWS_AUTO = {0};
    int n = 0;
    TRY(db_query(
        h->db, &r,
        "SELECT decision, reason, agent_id, run_id, wake_id, details, created_at FROM engine_decisions WHERE issue_id = $1"
        " ORDER BY created_at DESC, id DESC LIMIT $2",
        P(V_ID(h->issue_id), V_INT(h->limit))));
    while (rows_next(&r)) {
        add(h,
            &(struct line){.count = 1,
                           .last_at = INSTANT_NONE,
                           .agent_id = row_text(&r, 2),
                           .run_id = row_text(&r, 3),
                           .wake_id = row_text(&r, 4),
                           .details = row_text(&r, 5)},
            &(struct history_entry){history_kind_of(row_text(&r, 0)), row_text(&r, 1), row_time(&r, 6)});
        n++;
    }
    h->more |= n == h->limit;
    return rows_err(&r);
}

static int by_time(const void *pa, const void *pb)
{
    const struct line *a = pa, *b = pb;
    if (a->e.at != b->e.at) return a->e.at < b->e.at ? -1 : 1;
    if (a->e.kind != b->e.kind) return a->e.kind < b->e.kind ? -1 : 1;
    return b->place - a->place; /* rows were read newest first */
}

static void line_write(struct jw *w, const struct line *l, const struct agent *agents, int agent_count)
{
    const char *name = NULL;
    for (int i = 0; i < agent_count && l->agent_id; i++)
        if (text_is(agents[i].id, l->agent_id)) name = agents[i].name;
    jw_obj(w);
    jw_ktime(w, "at", l->e.at);
    jw_kstr(w, "decision", history_kind_name(l->e.kind));
    jw_kstr(w, "reason", l->e.reason);
    jw_kint(w, "count", l->count);
    jw_ktime(w, "lastAt", l->last_at);
    jw_kstr(w, "agentId", l->agent_id);
    jw_kstr(w, "agentName", name);
    jw_kstr(w, "wakeId", l->wake_id);
    jw_kstr(w, "runId", l->run_id);
    jw_kraw(w, "details", l->details);
    jw_obj_end(w);
}

err_t history_write(struct db *db, struct jw *w, const struct issue *issue, int limit)
{
    struct reading h = {.db = db, .a = db_arena(db), .issue_id = issue->id, .limit = limit, .capacity = 64};
    struct agent *agents;
    int agent_count;
    h.lines = arena_array(h.a, struct line, h.capacity);
    TRY(read_wakes(&h));
    TRY(read_runs(&h));
    TRY(read_activity(&h));
    TRY(read_decisions(&h));
    TRY(agent_list(db, issue->company_id, &agents, &agent_count));
    qsort(h.lines, (size_t)h.count, sizeof *h.lines, by_time);
    int first = h.count > limit ? h.count - limit : 0;
    jw_obj(w);
    jw_kstr(w, "issueId", issue->id);
    jw_kstr(w, "identifier", issue->identifier);
    jw_karr(w, "entries");
    for (int i = first; i < h.count; i++) line_write(w, &h.lines[i], agents, agent_count);
    jw_arr_end(w);
    jw_kbool(w, "more", h.more || first > 0);
    jw_obj_end(w);
    return OK;
}
