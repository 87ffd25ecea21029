/* issue_card: rows and what is around them, in batches. */
#include "model/issue_card.h"

#include "base/text.h"
#include "base/utf8.h"
#include "model/in_list.h"
#include "model/productivity.h"
#include "model/task_watchdog.h"

#define DESCRIPTION_CHARS_MAX 1200 /* IS-15 */

static struct issue_card *card_of(struct issue_cards *cards, const char *id)
{
    for (int i = 0; i < cards->count; i++)
        if (text_is(cards->items[i].row.id, id)) return &cards->items[i];
    return NULL;
}

static const char **card_ids(struct arena *a, const struct issue_cards *cards)
{
    const char **ids = arena_array(a, const char *, cards->count);
    for (int i = 0; i < cards->count; i++) ids[i] = cards->items[i].row.id;
    return ids;
}

/* Rows come grouped by issue: each group is one slice of the array. */
static err_t load_labels(struct db *db, struct issue_cards *cards)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    struct label *all = NULL;
    int n = 0, cap = 0;
    struct issue_card *at = NULL;
    struct in_list in = in_list_make(a, NULL, 0, card_ids(a, cards), cards->count);
    TRY(db_query(
        db, &r,
        arena_printf(
            a,
            "SELECT x.issue_id, %s FROM issue_labels x JOIN labels l ON l.id = x.label_id WHERE x.issue_id IN %s"
            " ORDER BY x.issue_id, l.name, l.id",
            entity_columns(a, &ENTITY_label, "l"), in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        const char *id = row_text(&r, 0);
        if (at == NULL || !text_is(at->row.id, id)) at = card_of(cards, id);
        if (at->label_count == 0) cap = n; /* a new slice starts: never move the old ones */
        if (n == cap) {
            int grow = at->label_count + 16;
            struct label *more = arena_array(a, struct label, grow);
            if (at->label_count) memcpy(more, at->labels, sizeof *more * (size_t)at->label_count);
            all = more;
            n = at->label_count;
            cap = grow;
            at->labels = all;
        }
        entity_decode(&ENTITY_label, &r, 1, &all[n++]);
        at->label_count++;
    }
    return rows_err(&r);
}

static err_t load_runs(struct db *db, struct issue_cards *cards)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    const char **ids = arena_array(a, const char *, cards->count);
    int n = 0;
    for (int i = 0; i < cards->count; i++)
        if (cards->items[i].row.execution_run_id) ids[n++] = cards->items[i].row.execution_run_id;
    if (n == 0) return OK;
    struct in_list in = in_list_make(a, NULL, 0, ids, n);
    TRY(db_query(
        db, &r,
        arena_printf(
            a,
            "SELECT id, status, agent_id, invocation_source, trigger_detail, started_at, finished_at, created_at"
            " FROM heartbeat_runs WHERE id IN %s AND status IN ('queued','running')",
            in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        struct card_run *run = arena_new(a, struct card_run);
        *run = (struct card_run){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2), row_text(&r, 3),
                                 row_text(&r, 4), row_time(&r, 5), row_time(&r, 6), row_time(&r, 7)};
        for (int i = 0; i < cards->count; i++)
            if (text_is(cards->items[i].row.execution_run_id, run->id)) cards->items[i].active_run = run;
    }
    return rows_err(&r);
}

static err_t load_graph(struct db *db, struct issue_cards *cards)
{
    const struct issue **roots = arena_array(db_arena(db), const struct issue *, cards->count);
    int n = 0;
    for (int i = 0; i < cards->count; i++)
        if (text_is(cards->items[i].row.status, "blocked")) {
            cards->items[i].graph_root = n;
            roots[n++] = &cards->items[i].row;
        }
    return n ? blocker_map_load(db, roots, n, &cards->map) : OK;
}

static err_t load_review(struct db *db, struct issue_cards *cards)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    const char **ids = arena_array(a, const char *, cards->count);
    int n = 0;
    for (int i = 0; i < cards->count; i++)
        if (text_is(cards->items[i].row.status, "in_review")) ids[n++] = cards->items[i].row.id;
    if (n == 0) return OK;
    struct in_list in = in_list_make(a, NULL, 0, ids, n);
    TRY(db_query(
        db, &r,
        arena_printf(
            a,
            "SELECT issue_id, 0 FROM heartbeat_runs WHERE issue_id IN %s AND status IN ('queued','running','scheduled_retry')"
            " UNION SELECT issue_id, 1 FROM agent_wakeup_requests WHERE issue_id IN %s AND status = 'queued'",
            in.sql, in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        struct issue_card *c = card_of(cards, row_text(&r, 0));
        if (row_int(&r, 1)) c->review_wake = true;
        else c->review_live = true;
    }
    return rows_err(&r);
}

static err_t load_review_asked(struct db *db, struct issue_cards *cards)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    const char **ids = arena_array(a, const char *, cards->count);
    int n = 0;
    for (int i = 0; i < cards->count; i++)
        if (text_is(cards->items[i].row.status, "in_review")) ids[n++] = cards->items[i].row.id;
    if (n == 0) return OK;
    struct in_list in = in_list_make(a, NULL, 0, ids, n);
    TRY(db_query(db, &r,
                 arena_printf(a,
                              "SELECT issue_id, id, addressee_agent_id, created_at FROM issue_thread_interactions"
                              " WHERE status = 'pending' AND issue_id IN %s ORDER BY created_at DESC, id DESC",
                              in.sql),
                 in.v, in.n));
    while (rows_next(&r)) {
        struct issue_card *c = card_of(cards, row_text(&r, 0));
        c->review_interaction_id = row_text(&r, 1);
        c->review_addressee_id = row_text(&r, 2);
        c->review_interaction_since = row_time(&r, 3);
    }
    TRY(rows_err(&r));
    rows_close(&r);
    TRY(db_query(
        db, &r,
        arena_printf(
            a,
            "SELECT k.issue_id, a.id, a.created_at FROM issue_approvals k JOIN approvals a ON a.id = k.approval_id"
            " WHERE a.status IN ('pending','revision_requested') AND k.issue_id IN %s"
            " ORDER BY a.created_at DESC, a.id DESC",
            in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        struct issue_card *c = card_of(cards, row_text(&r, 0));
        c->review_approval_id = row_text(&r, 1);
        c->review_approval_since = row_time(&r, 2);
    }
    return rows_err(&r);
}

static struct issue_ref read_ref(const struct rows *r, int first)
{
    return (struct issue_ref){row_text(r, first),     row_text(r, first + 1), row_text(r, first + 2),
                              row_text(r, first + 3), row_text(r, first + 4), row_text(r, first + 5),
                              row_text(r, first + 6)};
}

#define REF_COLUMNS "b.id, b.identifier, b.title, b.status, b.priority, b.assignee_agent_id, b.assignee_user_id"

static err_t load_blocked_by(struct db *db, struct issue_cards *cards)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    struct in_list in = in_list_make(a, NULL, 0, card_ids(a, cards), cards->count);
    TRY(db_query(
        db, &r,
        arena_printf(a,
                     "SELECT x.related_issue_id, " REF_COLUMNS
                     " FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
                     " WHERE x.type = 'blocks' AND x.related_issue_id IN %s ORDER BY x.related_issue_id, b.title, b.id",
                     in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        struct issue_card *c = card_of(cards, row_text(&r, 0));
        int have = c->blocked_by_count;
        if ((have & (have - 1)) == 0) { /* 0, 1, 2, 4 …: double */
            struct issue_ref *more = arena_array(a, struct issue_ref, have ? have * 2 : 1);
            if (have) memcpy(more, c->blocked_by, sizeof *more * (size_t)have);
            c->blocked_by = more;
        }
        c->blocked_by[c->blocked_by_count++] = read_ref(&r, 1);
    }
    return rows_err(&r);
}

static err_t load_recovery(struct db *db, struct issue_cards *cards)
{
    int n = cards->count;
    for (int i = 0; i < cards->count; i++) n += cards->items[i].blocked_by_count;
    const char **ids = arena_array(db_arena(db), const char *, n + 1);
    n = 0;
    for (int i = 0; i < cards->count; i++) {
        ids[n++] = cards->items[i].row.id;
        for (int k = 0; k < cards->items[i].blocked_by_count; k++) ids[n++] = cards->items[i].blocked_by[k].id;
    }
    return recovery_set_load(db, ids, n, &cards->recovery);
}

/* Who looks at the issues from outside: watchdogs, and open productivity reviews. Few
 * have either, so both are asked for at once. */
static err_t load_overseers(struct db *db, struct issue_cards *cards)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    struct in_list in = in_list_make(a, NULL, 0, card_ids(a, cards), cards->count);
    TRY(db_query(
        db, &r,
        arena_printf(a,
                     "SELECT i.id, " PRODUCTIVITY_COLUMNS
                     ", %s FROM issues i LEFT JOIN issue_watchdogs d ON d.issue_id = i.id"
                     " LEFT JOIN issue_productivity_reviews p ON p.source_issue_id = i.id LEFT JOIN issues v"
                     " ON v.id = p.review_issue_id AND v.status NOT IN ('done','cancelled') AND v.hidden_at IS NULL"
                     " WHERE i.id IN %s AND (d.id IS NOT NULL OR v.id IS NOT NULL)",
                     entity_columns(a, &ENTITY_watchdog, "d"), in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        struct issue_card *c = card_of(cards, row_text(&r, 0));
        struct productivity_review *review = arena_new(a, struct productivity_review);
        struct watchdog *watchdog = arena_new(a, struct watchdog);
        if (productivity_review_read(&r, 0, review)) c->review = review;
        entity_decode(&ENTITY_watchdog, &r, 1 + PRODUCTIVITY_COLUMN_COUNT, watchdog);
        if (watchdog->id) c->watchdog = watchdog;
    }
    return rows_err(&r);
}

err_t issue_cards_load(struct db *db, const struct issue *rows, int count, unsigned parts, struct issue_cards *out)
{
    *out = (struct issue_cards){.items = arena_array(db_arena(db), struct issue_card, count), .count = count};
    for (int i = 0; i < count; i++) {
        out->items[i].row = rows[i];
        out->items[i].graph_root = -1;
    }
    if (count == 0) return OK;
    TRY(load_overseers(db, out));
    if (parts & CARD_LABELS) TRY(load_labels(db, out));
    if (parts & CARD_RUNS) TRY(load_runs(db, out));
    if (parts & CARD_ATTENTION) TRY(load_graph(db, out));
    if (parts & CARD_ATTENTION) TRY(load_review(db, out));
    if (parts & CARD_ATTENTION) TRY(load_review_asked(db, out));
    if (parts & CARD_BLOCKED_BY) TRY(load_blocked_by(db, out));
    return parts & (CARD_ATTENTION | CARD_BLOCKED_BY) ? load_recovery(db, out) : OK;
}

/* ---- writing ---- */

void issue_labels_write(struct jw *w, const struct issue_card *c)
{
    jw_karr(w, "labels");
    for (int i = 0; i < c->label_count; i++) {
        jw_obj(w);
        entity_write(w, &ENTITY_label, &c->labels[i], VIEW_FULL);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_karr(w, "labelIds");
    for (int i = 0; i < c->label_count; i++) jw_str(w, c->labels[i].id);
    jw_arr_end(w);
}

static void write_path_ref(struct jw *w, const char *kind, const char *label, const char *type, const char *responder,
                           instant_t since, const char *ref)
{
    jw_obj(w);
    jw_kstr(w, "kind", kind);
    jw_kstr(w, "label", label);
    jw_kobj(w, "responder");
    jw_kstr(w, "type", type);
    jw_kstr(w, "id", responder);
    jw_obj_end(w);
    jw_ktime(w, "since", since);
    jw_kstr(w, "ref", ref);
    jw_obj_end(w);
}

static void write_path(struct jw *w, const char *kind, const char *label, const char *type, const char *responder,
                       instant_t since)
{
    write_path_ref(w, kind, label, type, responder, since, NULL);
}

static void review_attention_write(struct jw *w, const struct issue_card *c, const struct recovery_action *action)
{
    const struct issue *x = &c->row;
    if (!text_is(x->status, "in_review")) {
        jw_kraw(w, "reviewAttention", "{\"state\":\"none\",\"paths\":[],\"reason\":null}");
        return;
    }
    const json_t *state = json_read(x->execution_state), *who = json_object_get(state, "currentParticipant");
    const char *agent = json_str(who, "agentId"), *user = json_str(who, "userId");
    bool stage = text_is(json_str(state, "status"), "pending") && (agent || user);
    bool human = x->assignee_user_id != NULL, monitor = x->monitor_next_check_at != INSTANT_NONE;
    bool asked = c->review_interaction_id != NULL, approval = c->review_approval_id != NULL;
    /* one that waits for the board says that this review is stalled (EX-91) */
    bool recovering = action && text_is(action->owner_type, "agent");
    bool covered = stage || human || monitor || asked || approval || recovering || c->review_live || c->review_wake;
    jw_kobj(w, "reviewAttention");
    jw_kstr(w, "state", covered ? "covered" : "stalled");
    jw_karr(w, "paths");
    if (stage)
        write_path(w, "execution_participant", "Reviewer of the current stage", user ? "user" : "agent",
                   user ? user : agent, x->updated_at);
    if (asked)
        write_path_ref(w, "interaction", "Question in the thread", c->review_addressee_id ? "agent" : "board",
                       c->review_addressee_id, c->review_interaction_since, c->review_interaction_id);
    if (approval)
        write_path_ref(w, "approval", "Linked approval", "board", NULL, c->review_approval_since,
                       c->review_approval_id);
    if (monitor) write_path(w, "monitor", "Scheduled check", "system", NULL, x->monitor_next_check_at);
    if (human) write_path(w, "human_reviewer", "Assigned person", "user", x->assignee_user_id, x->updated_at);
    if (c->review_live) write_path(w, "active_run", "Run in progress", "agent", x->assignee_agent_id, x->updated_at);
    if (c->review_wake) write_path(w, "queued_wake", "Wake on its way", "agent", x->assignee_agent_id, x->updated_at);
    if (recovering)
        write_path_ref(w, "recovery", "Recovery under way", "agent", action->owner_agent_id, action->created_at,
                       action->id);
    jw_arr_end(w);
    jw_kstr(w, "reason", !covered ? "no_action_path" : NULL);
    jw_obj_end(w);
}

void issue_attention_write(struct jw *w, const struct issue_cards *cards, const struct issue_card *c)
{
    blocker_attention_write(w, &cards->map, c->graph_root);
    review_attention_write(w, c, recovery_set_find(&cards->recovery, c->row.id));
}

void issue_review_write(struct jw *w, const struct issue_card *c)
{
    jw_key(w, "productivityReview");
    if (c->review) productivity_review_write(w, c->review);
    else jw_null(w);
}

static void watchdog_key_write(struct jw *w, const struct issue_card *c)
{
    jw_key(w, "watchdog");
    if (c->watchdog) watchdog_write(w, c->watchdog);
    else jw_null(w);
}

void issue_write_full(struct jw *w, const struct issue_card *c)
{
    entity_write(w, &ENTITY_issue, &c->row, VIEW_FULL);
    issue_labels_write(w, c);
    watchdog_key_write(w, c);
}

/* Bytes of the first `max` characters; whole when the text is shorter. */
static size_t cut_at(const char *s, size_t max)
{
    size_t len = strlen(s), at = 0;
    if (len <= max) return len;
    for (size_t chars = 0; chars < max && at < len; chars++) {
        size_t n = utf8_char(s + at, len - at);
        at += n ? n : 1;
    }
    return at;
}

static void write_fields(struct jw *w, const struct issue *row, enum view view, size_t cut)
{
    for (int i = 0; i < ENTITY_issue.count; i++) {
        const struct field *f = &ENTITY_issue.fields[i];
        if ((f->flags & FF_HIDDEN) || (view == VIEW_COMPACT && !(f->flags & FF_COMPACT))) continue;
        jw_key(w, f->json);
        if (f->flags & FF_LISTNULL) jw_null(w);
        else if (row->description && f->offset == offsetof(struct issue, description))
            jw_strn(w, row->description, cut);
        else entity_write_field(w, f, row);
    }
}

static void write_run(struct jw *w, const struct card_run *run)
{
    if (run == NULL) {
        jw_knull(w, "activeRun");
        return;
    }
    jw_kobj(w, "activeRun");
    jw_kstr(w, "id", run->id);
    jw_kstr(w, "status", run->status);
    jw_kstr(w, "agentId", run->agent_id);
    jw_kstr(w, "invocationSource", run->invocation_source);
    jw_kstr(w, "triggerDetail", run->trigger_detail);
    jw_ktime(w, "startedAt", run->started_at);
    jw_ktime(w, "finishedAt", run->finished_at);
    jw_ktime(w, "createdAt", run->created_at);
    jw_obj_end(w);
}

static void write_refs(struct jw *w, const char *key, const struct issue_ref *refs, int n,
                       const struct recovery_set *recovery)
{
    jw_karr(w, key);
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        issue_ref_write(w, &refs[i]);
        recovery_set_write(w, recovery, refs[i].id);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

void issue_write_row(struct jw *w, const struct issue_cards *cards, const struct issue_card *c,
                     const struct row_form *form)
{
    enum view view = form->view;
    size_t len = c->row.description ? strlen(c->row.description) : 0;
    size_t cut = len ? cut_at(c->row.description, DESCRIPTION_CHARS_MAX) : 0;
    jw_obj(w);
    write_fields(w, &c->row, view, cut);
    issue_labels_write(w, c);
    if (view == VIEW_LIST) watchdog_key_write(w, c);
    if (view == VIEW_LIST) jw_kbool(w, "descriptionTruncated", cut < len);
    if (view == VIEW_LIST) write_run(w, c->active_run);
    jw_ktime(w, "lastActivityAt", c->row.last_activity_at);
    issue_attention_write(w, cards, c);
    if (c->review) issue_review_write(w, c);
    jw_kraw(w, "successfulRunHandoff", c->row.successful_run_handoff);
    recovery_set_write(w, &cards->recovery, c->row.id);
    if (form->blocked_by) write_refs(w, "blockedBy", c->blocked_by, c->blocked_by_count, &cards->recovery);
    if (form->blocked) blocked_inbox_write(form->arena, w, form->blocked, form->node);
    if (form->live_below) jw_kint(w, "liveDescendantCount", *form->live_below);
    if (form->mark) {
        inbox_mark_write(w, form->mark);
        inbox_archived_write(w, form->mark, &c->row);
    }
    jw_obj_end(w);
}

const char *issue_card_event(struct arena *a, const struct issue_cards *cards, const struct issue_card *c)
{
    struct buf b = {0};
    struct jw w;
    const char *description = c->row.description;
    jw_init(&w, &b);
    jw_obj(&w);
    write_fields(&w, &c->row, VIEW_COMPACT, description ? cut_at(description, DESCRIPTION_CHARS_MAX) : 0);
    issue_labels_write(&w, c);
    jw_ktime(&w, "lastActivityAt", c->row.last_activity_at);
    write_refs(&w, "blockedBy", c->blocked_by, c->blocked_by_count, &cards->recovery);
    jw_obj_end(&w);
    return buf_finish(&b, a);
}

err_t issue_event_text(struct db *db, const struct issue *row, const char **out)
{
    struct issue_cards cards;
    TRY(issue_cards_load(db, row, 1, CARD_LABELS | CARD_BLOCKED_BY, &cards));
    *out = issue_card_event(db_arena(db), &cards, &cards.items[0]);
    return OK;
}

static err_t write_side(struct db *db, struct jw *w, const char *key, const char *sql, const char *issue_id,
                        const struct blocker_map *map, const struct recovery_set *recovery)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r, sql, P(V_ID(issue_id))));
    jw_karr(w, key);
    while (rows_next(&r)) {
        struct issue_ref ref = read_ref(&r, 0);
        jw_obj(w);
        issue_ref_write(w, &ref);
        recovery_set_write(w, recovery, ref.id);
        if (map) terminal_blockers_write(w, map, ref.id);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return rows_err(&r);
}

err_t issue_relations_write(struct db *db, struct jw *w, const char *issue_id, const struct blocker_map *map)
{
    struct recovery_set recovery;
    TRY(recovery_set_around(db, issue_id, &recovery));
    TRY(write_side(db, w, "blockedBy",
                   "SELECT " REF_COLUMNS " FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
                   " WHERE x.type = 'blocks' AND x.related_issue_id = $1 ORDER BY b.title, b.id",
                   issue_id, map, &recovery));
    return write_side(db, w, "blocks",
                      "SELECT " REF_COLUMNS " FROM issue_relations x JOIN issues b ON b.id = x.related_issue_id"
                      " WHERE x.type = 'blocks' AND x.issue_id = $1 ORDER BY b.title, b.id",
                      issue_id, NULL, &recovery);
}
