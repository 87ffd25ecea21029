/* hold_tree: what a mode would do to each issue of a tree. A fixed number of statements, whatever its size. */
#include "model/hold_tree.h"

#include "base/text.h"
#include "model/hold.h"

#include <stdlib.h>

#define DEFAULT_POLICY "{\"strategy\":\"manual\"}"
#define TREE                                                                                                       \
    "WITH RECURSIVE tree(id, depth) AS (SELECT id, 0 FROM issues WHERE id = $1 UNION ALL SELECT i.id, t.depth + 1" \
    " FROM tree t JOIN issues i ON i.parent_id = t.id WHERE t.depth < 100)"

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct tree_place *)a)->id, ((const struct tree_place *)b)->id);
}

struct tree_member *tree_plan_member(const struct tree_plan *p, const char *issue_id)
{
    const struct tree_place key = {.id = issue_id};
    if (issue_id == NULL) return NULL;
    const struct tree_place *at = bsearch(&key, p->places, (size_t)p->count, sizeof key, by_id);
    return at ? &p->members[at->member] : NULL;
}

bool tree_plan_lets_finish(const struct tree_plan *p)
{
    return p->mode == TREE_PAUSE &&
           text_is(json_str(json_read(p->release_policy), "strategy"), "after_active_runs_finish");
}

/* ---- the issues ---- */

static err_t load_members(struct db *db, const struct issue *root, struct tree_plan *p)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    int64_t n;
    TRY(db_int(db, &n, 0, TREE " SELECT count(*) FROM tree", P(V_ID(root->id))));
    if (n > TREE_ISSUES_MAX)
        return err_new(a, ERR_UNPROCESSABLE,
                       "The tree has %d issues, and at most %d are held at once; hold its branches", (int)n,
                       TREE_ISSUES_MAX);
    p->members = arena_array(a, struct tree_member, n + 1);
    p->places = arena_array(a, struct tree_place, n + 1);
    TRY(db_query(db, &r,
                 arena_printf(a,
                              TREE " SELECT %s, t.depth FROM tree t JOIN issues i ON i.id = t.id"
                                   " ORDER BY t.depth, i.issue_number",
                              entity_columns(a, &ENTITY_issue, "i")),
                 P(V_ID(root->id))));
    while (rows_next(&r) && p->count < n) {
        struct tree_member *m = &p->members[p->count];
        int next = entity_decode(&ENTITY_issue, &r, 0, &m->row);
        m->depth = row_int(&r, next);
        p->places[p->count] = (struct tree_place){m->row.id, p->count};
        p->count++;
    }
    qsort(p->places, (size_t)p->count, sizeof *p->places, by_id);
    return rows_err(&r);
}

static err_t load_runs(struct db *db, const struct issue *root, struct tree_plan *p)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    int64_t n;
    TRY(db_int(db, &n, 0,
               TREE " SELECT count(*) FROM tree t JOIN heartbeat_runs r ON r.issue_id = t.id"
                    " WHERE r.status IN ('queued','running','scheduled_retry')",
               P(V_ID(root->id))));
    p->runs = arena_array(a, struct run, n + 1);
    TRY(db_query(db, &r,
                 arena_printf(a,
                              TREE " SELECT %s FROM tree t JOIN heartbeat_runs r ON r.issue_id = t.id"
                                   " WHERE r.status IN ('queued','running','scheduled_retry')"
                                   " ORDER BY CASE r.status WHEN 'running' THEN 0 ELSE 1 END, r.created_at, r.id",
                              entity_columns(a, &ENTITY_run, "r")),
                 P(V_ID(root->id))));
    while (rows_next(&r) && p->run_count < n) {
        struct run *run = &p->runs[p->run_count++];
        entity_decode(&ENTITY_run, &r, 0, run);
        struct tree_member *m = tree_plan_member(p, run->issue_id);
        if (m && m->run == NULL) m->run = run;
    }
    return rows_err(&r);
}

/* ---- the holds ---- */

/* Active ones with their root in the tree. Pauses are inherited downwards. */
static err_t load_holds(struct db *db, const struct issue *root, struct tree_plan *p, bool *held_inside)
{
    struct arena *a = db_arena(db);
    struct active_hold above = {.hold_id = NULL};
    TRY(entity_many(db, &ENTITY_tree_hold, &p->inside, &p->inside_count,
                    arena_printf(a,
                                 "WHERE status = 'active' AND root_issue_id IN (%s SELECT id FROM tree)"
                                 " ORDER BY created_at, id",
                                 TREE),
                    P(V_ID(root->id))));
    if (root->parent_id) TRY(hold_on(db, root->parent_id, &above));
    for (int i = 0; i < p->count; i++) {
        struct tree_member *m = &p->members[i];
        const struct tree_member *parent = i ? tree_plan_member(p, m->row.parent_id) : NULL;
        m->hold_ids = parent && parent->hold_ids ? json_deep_copy(parent->hold_ids) : json_array();
        held_inside[i] = parent && held_inside[parent - p->members];
        if (i == 0 && above.hold_id) json_array_append_new(m->hold_ids, json_string(above.hold_id));
        for (int k = 0; k < p->inside_count; k++) {
            if (!text_is(p->inside[k].mode, "pause") || !text_is(p->inside[k].root_issue_id, m->row.id)) continue;
            json_array_append_new(m->hold_ids, json_string(p->inside[k].id));
            held_inside[i] = true;
        }
    }
    return OK;
}

struct cancelled {
    bool here, touched;
};

/* What the active cancels of this very root took, the latest first. */
static err_t load_cancelled(struct db *db, const struct issue *root, struct tree_plan *p, struct cancelled *out)
{
    struct rows r ROWS_AUTO = {0};
    if (p->mode != TREE_RESTORE) return OK;
    TRY(db_query(
        db, &r,
        "SELECT m.issue_id, m.issue_status, m.unblock_descriptor, h.updated_at, m.execution_state FROM issue_tree_holds h"
        " JOIN issue_tree_hold_members m ON m.hold_id = h.id WHERE h.root_issue_id = $1 AND h.mode = 'cancel'"
        " AND h.status = 'active' AND NOT m.skipped ORDER BY h.created_at DESC, h.id DESC",
        P(V_ID(root->id))));
    while (rows_next(&r)) {
        struct tree_member *m = tree_plan_member(p, row_text(&r, 0));
        if (m == NULL || m->snapshot_status) continue;
        struct cancelled *c = &out[m - p->members];
        m->snapshot_status = row_text(&r, 1);
        m->snapshot_descriptor = row_text(&r, 2);
        m->snapshot_state = row_text(&r, 4);
        c->here = true;
        c->touched = m->row.cancelled_at != INSTANT_NONE && m->row.cancelled_at > row_time(&r, 3);
    }
    return rows_err(&r);
}

err_t tree_plan(struct db *db, const struct issue *root, enum tree_mode mode, const char *release_policy,
                struct tree_plan *out)
{
    struct arena *a = db_arena(db);
    *out = (struct tree_plan){.mode = mode, .release_policy = release_policy ? release_policy : DEFAULT_POLICY};
    TRY(load_members(db, root, out));
    TRY(load_runs(db, root, out));
    bool *held_inside = arena_array(a, bool, out->count + 1);
    struct cancelled *cancelled = arena_array(a, struct cancelled, out->count + 1);
    TRY(load_holds(db, root, out, held_inside));
    TRY(load_cancelled(db, root, out, cancelled));
    for (int i = 0; i < out->count; i++) {
        struct tree_member *m = &out->members[i];
        m->skip_reason = tree_skip_reason(mode, &(struct tree_member_facts){.status = m->row.status,
                                                                            .held = json_array_size(m->hold_ids) > 0,
                                                                            .held_inside = held_inside[i],
                                                                            .cancelled_here = cancelled[i].here,
                                                                            .touched_since = cancelled[i].touched});
    }
    return OK;
}
