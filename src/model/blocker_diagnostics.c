/* blocker_diagnostics: one statement, one sentence. */
#include "model/blocker_diagnostics.h"

#include "base/text.h"
#include "model/barrier.h"

#define BLOCKERS_MAX 100
#define STRANGE_MAX 3 /* named in the sentence */

struct blocker {
    const char *id, *identifier, *title, *status, *priority, *assignee_agent_id, *assignee_user_id;
    bool pending;
};

struct diagnosis {
    struct blocker *all;
    int count, unresolved, pending, cancelled;
    bool truncated;
};

static bool holds(const struct blocker *b) { return b->pending || !text_is(b->status, "done"); }

static err_t load(struct db *db, const struct issue *issue, struct diagnosis *d)
{
    struct rows r ROWS_AUTO = {0};
    d->all = arena_array(db_arena(db), struct blocker, BLOCKERS_MAX);
    TRY(db_query(
        db, &r,
        "SELECT b.id, b.identifier, b.title, b.status, b.priority, b.assignee_agent_id, b.assignee_user_id, " PENDING_FINALIZE(
            "b") " FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = $1"
                 " AND x.type = 'blocks' ORDER BY b.issue_number, b.id LIMIT 101",
        P(V_ID(issue->id))));
    while (rows_next(&r)) {
        d->truncated = d->count == BLOCKERS_MAX;
        if (d->truncated) break;
        struct blocker b = {row_text(&r, 0), row_text(&r, 1), row_text(&r, 2), row_text(&r, 3),
                            row_text(&r, 4), row_text(&r, 5), row_text(&r, 6), row_bool(&r, 7)};
        d->pending += b.pending;
        d->cancelled += text_is(b.status, "cancelled");
        d->unresolved += holds(&b);
        d->all[d->count++] = b;
    }
    return rows_err(&r);
}

/* The first few that hold it back, for people. */
static const char *names(struct arena *a, const struct diagnosis *d, bool pending_only)
{
    struct buf b = {0};
    int shown = 0, left = 0;
    for (int i = 0; i < d->count; i++) {
        if (!holds(&d->all[i]) || (pending_only && !d->all[i].pending)) continue;
        if (shown == STRANGE_MAX) left++;
        else buf_printf(&b, "%s%s", shown++ ? ", " : "", d->all[i].identifier);
    }
    if (left) buf_printf(&b, " and %d more", left);
    return b.len ? buf_finish(&b, a) : "";
}

static const char *sentence(struct arena *a, const struct issue *issue, const struct diagnosis *d)
{
    const char *me = issue->identifier;
    if (d->count == 0) return arena_printf(a, "%s has no blockers.", me);
    if (d->unresolved == 0) return arena_printf(a, "%s has no unresolved blockers; all of them are done.", me);
    if (d->pending == d->unresolved)
        return arena_printf(a, "%s is waiting for %s to finish workspace finalization.", me, names(a, d, true));
    if (d->cancelled == d->unresolved)
        return arena_printf(a, "%s is blocked by cancelled work (%s): remove or replace the blocker.", me,
                            names(a, d, false));
    return arena_printf(a, "%s is waiting for %s.", me, names(a, d, false));
}

static void write_ref(struct jw *w, const struct blocker *b)
{
    jw_kstr(w, "id", b->id);
    jw_kstr(w, "identifier", b->identifier);
    jw_kstr(w, "title", b->title);
    jw_kstr(w, "status", b->status);
    jw_kstr(w, "priority", b->priority);
    jw_kstr(w, "assigneeAgentId", b->assignee_agent_id);
    jw_kstr(w, "assigneeUserId", b->assignee_user_id);
}

static void write_blocker(struct jw *w, const struct blocker *b)
{
    jw_obj(w);
    write_ref(w, b);
    jw_kbool(w, "isUnresolved", holds(b));
    jw_kbool(w, "isPendingFinalize", b->pending);
    jw_kbool(w, "isDependencyReady", !holds(b));
    jw_karr(w, "flags");
    if (b->pending) jw_str(w, "done_but_blocking");
    if (text_is(b->status, "cancelled")) jw_str(w, "cancelled_blocker_in_set");
    if (b->pending) jw_str(w, "workspace_finalize_pending");
    jw_arr_end(w);
    jw_obj_end(w);
}

err_t blocker_diagnostics_write(struct db *db, struct jw *w, const struct issue *i)
{
    struct diagnosis d = {0};
    TRY(load(db, i, &d));
    jw_obj(w);
    jw_kobj(w, "issue");
    write_ref(w, &(struct blocker){i->id, i->identifier, i->title, i->status, i->priority, i->assignee_agent_id,
                                   i->assignee_user_id, false});
    jw_obj_end(w);
    jw_kstr(w, "diagnosis", sentence(db_arena(db), i, &d));
    jw_kobj(w, "readiness");
    jw_kbool(w, "allBlockersDone", d.unresolved == 0);
    jw_kbool(w, "isDependencyReady", d.unresolved == 0);
    jw_kint(w, "unresolvedBlockerCount", d.unresolved);
    jw_kint(w, "pendingFinalizeBlockerCount", d.pending);
    jw_obj_end(w);
    jw_karr(w, "blockers");
    for (int n = 0; n < d.count; n++) write_blocker(w, &d.all[n]);
    jw_arr_end(w);
    jw_kint(w, "omittedUnauthorizedBlockerCount", 0);
    jw_kbool(w, "truncated", d.truncated);
    jw_kobj(w, "caps");
    jw_kint(w, "maxBlockers", BLOCKERS_MAX);
    jw_obj_end(w);
    jw_obj_end(w);
    return OK;
}
