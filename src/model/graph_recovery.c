/* graph_recovery: one issue per incident, and its end (EX-112). */
#include "base/text.h"
#include "model/activity.h"
#include "model/comment.h"
#include "model/graph_liveness.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/issue_update.h"
#include "model/relation.h"
#include "model/review_owner.h"

#define COOLDOWN_MS (60 * MINUTE_MS)
#define ESCALATIONS_MAX 500

static const struct actor system_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};

/* The stalled assignee and its managers, the creator's, the roots, then anybody. */
static err_t owner_of(struct db *db, const struct graph_incident *i, const char **owner)
{
    struct review_owners o;
    TRY(review_owners_start(db, i->company_id, &o));
    review_owners_add(&o, i->leaf_agent_id);
    review_owners_add_chain(&o, i->leaf_agent_id);
    review_owners_add_chain(&o, i->source.created_by_agent_id);
    review_owners_add_roots(&o);
    review_owners_add_all(&o);
    return review_owners_first(db, &o, NULL, owner);
}

static const char *description(struct arena *a, const struct graph_incident *i)
{
    const char *chain = "";
    for (int k = 0; k < i->path_length; k++)
        chain = arena_printf(a, "%s- %s (%s): %s\n", chain, i->path[k].identifier, i->path[k].status, i->path[k].title);
    return arena_printf(
        a,
        "%s cannot go on, and nothing that is under way will change that.\n\nThe chain, from the issue that waits to "
        "the one that stalls it:\n\n%s\nFinding: `%s`. %s\n\nWhen the chain moves again, mark this issue done.",
        i->source.identifier, chain, graph_finding_name(i->finding), graph_finding_action(i->finding));
}

static err_t tell(struct db *db, const struct graph_incident *i, const struct issue *filed)
{
    struct comment comment;
    struct author nobody = {0};
    bool replayed;
    const struct comment_new c = {.issue = &i->source,
                                  .body = arena_printf(db_arena(db),
                                                       "Nothing moves this issue: %s %s was filed to unblock it.",
                                                       graph_finding_action(i->finding), filed->identifier)};
    TRY(comment_insert(db, &system_actor, &nobody, &c, &comment, &replayed));
    return activity_log(
        db, &system_actor,
        &(struct activity_entry){
            .company_id = i->company_id,
            .action = "issue.harness_liveness_escalation_created",
            .entity_type = "issue",
            .entity_id = i->source.id,
            .details = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "source", "recovery.issue_graph_liveness", "cause",
                                 graph_finding_name(i->finding), "incidentKey", i->incident_key, "leafIssueId",
                                 i->leaf_id, "escalationIssueId", filed->id, "identifier", i->source.identifier)});
}

static err_t file_issue(struct db *db, const struct graph_incident *i, const char *owner)
{
    struct arena *a = db_arena(db);
    struct issue leaf;
    struct issue_created made;
    struct issue_new in = {.allow_duplicate = true};
    bool found;
    TRY(issue_get(db, i->leaf_id, &leaf, &found));
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = i->company_id;
    in.row.title = arena_printf(a, "Unblock liveness incident for %s", i->source.identifier);
    in.row.description = description(a, i);
    in.row.status = "todo";
    in.row.priority = "high";
    in.row.assignee_agent_id = owner;
    in.row.assignee_adapter_overrides = "{\"modelProfile\":\"cheap\"}";
    in.row.origin_kind = GRAPH_ORIGIN;
    in.row.origin_id = i->incident_key;
    in.row.origin_fingerprint = i->leaf_key;
    if (found) {
        in.row.parent_id = leaf.id;
        in.row.project_id = leaf.project_id;
        in.parent = &leaf;
    }
    TRY(issue_create(db, &system_actor, &in, &made));
    TRY(relation_add(db, i->company_id, made.row.id, i->source.id));
    return tell(db, i, &made.row);
}

/* One is open for the incident, or for what stalls it; or was closed within the hour. */
static err_t earlier(struct db *db, const struct graph_incident *i, enum graph_step *step)
{
    struct rows r ROWS_AUTO = {0};
    *step = GRAPH_NOTHING;
    TRY(db_query(
        db, &r,
        "SELECT status, coalesce(completed_at, cancelled_at, updated_at) FROM issues WHERE company_id = $1 AND origin_kind = '" GRAPH_ORIGIN
        "' AND hidden_at IS NULL AND (origin_id = $2 OR origin_fingerprint = $3)",
        P(V_ID(i->company_id), V_TEXT(i->incident_key), V_TEXT(i->leaf_key))));
    while (rows_next(&r) && *step != GRAPH_EXISTS) {
        bool closed = text_is(row_text(&r, 0), "done") || text_is(row_text(&r, 0), "cancelled");
        if (!closed) *step = GRAPH_EXISTS;
        else if (row_time(&r, 1) > clock_now() - COOLDOWN_MS) *step = GRAPH_COOLING;
    }
    return rows_err(&r);
}

err_t graph_escalate(struct db *db, const char *source_id, instant_t cutoff, enum graph_step *step)
{
    struct issue source;
    struct graph_incident i;
    const char *owner;
    bool found;
    *step = GRAPH_NOTHING;
    TRY(issue_get(db, source_id, &source, &found));
    if (found) TRY(graph_incident_of(db, &source, &i, &found));
    if (!found) return OK;
    TRY(earlier(db, &i, step));
    if (*step != GRAPH_NOTHING) return OK;
    *step = GRAPH_TOO_OLD;
    if (i.changed_at < cutoff) return OK;
    *step = GRAPH_NO_OWNER;
    TRY(owner_of(db, &i, &owner));
    if (owner == NULL) return OK;
    *step = GRAPH_CREATED;
    return file_issue(db, &i, owner);
}

err_t graph_open_escalations(struct db *db, const char *company_id, const char ***ids, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *count = 0;
    *ids = arena_array(db_arena(db), const char *, ESCALATIONS_MAX);
    TRY(db_query(db, &r,
                 "SELECT id FROM issues WHERE company_id = $1 AND origin_kind = '" GRAPH_ORIGIN
                 "' AND status NOT IN ('done','cancelled') AND hidden_at IS NULL ORDER BY id LIMIT $2",
                 P(V_ID(company_id), V_INT(ESCALATIONS_MAX))));
    while (rows_next(&r)) (*ids)[(*count)++] = row_text(&r, 0);
    return rows_err(&r);
}

/* "harness_liveness:<company>:<issue>:…" */
static const char *source_of(struct arena *a, const char *incident_key)
{
    const char *at = incident_key ? strchr(incident_key, ':') : NULL;
    at = at ? strchr(at + 1, ':') : NULL;
    const char *end = at ? strchr(at + 1, ':') : NULL;
    return end ? arena_strndup(a, at + 1, (size_t)(end - at - 1)) : NULL;
}

err_t graph_retire(struct db *db, const char *escalation_id, bool *cancelled)
{
    struct issue filed, source;
    struct graph_incident i;
    struct issue_changed out;
    bool found, still = false;
    int64_t live;
    *cancelled = false;
    TRY(issue_get(db, escalation_id, &filed, &found));
    if (!found || text_is(filed.status, "done") || text_is(filed.status, "cancelled")) return OK;
    const char *source_id = source_of(db_arena(db), filed.origin_id);
    TRY(issue_get(db, source_id, &source, &found));
    if (found) TRY(graph_incident_of(db, &source, &i, &still));
    if (still && (text_is(i.incident_key, filed.origin_id) || text_is(i.leaf_key, filed.origin_fingerprint))) return OK;
    TRY(db_int(
        db, &live, 0,
        "SELECT count(*) FROM heartbeat_runs WHERE issue_id = $1 AND status IN ('queued','running','scheduled_retry')",
        P(V_ID(filed.id))));
    if (live > 0) return OK;
    /* first the edge, so that nobody is told a blocker was cancelled */
    TRY(db_exec(db, &live, "DELETE FROM issue_relations WHERE issue_id = $1 AND type = 'blocks'", P(V_ID(filed.id))));
    struct issue_change change = {.after = filed, .status_sent = true};
    change.after.status = "cancelled";
    *cancelled = true;
    return issue_update(db, &system_actor, &filed, &change, &out);
}

/* ---- by hand: all companies at once ---- */

static err_t run_company(struct db *db, const char *company_id, instant_t cutoff, int *findings, int steps[GRAPH_STEPS],
                         int *retired)
{
    const char *after = NULL, **ids;
    int n;
    TRY(graph_open_escalations(db, company_id, &ids, &n));
    for (int i = 0; i < n; i++) {
        bool cancelled;
        TRY(graph_retire(db, ids[i], &cancelled));
        *retired += cancelled;
    }
    do {
        struct graph_incident *found;
        TRY(graph_incidents(db, company_id, after, &found, &n, &after));
        for (int i = 0; i < n; i++) {
            enum graph_step step;
            TRY(graph_escalate(db, found[i].source.id, cutoff, &step));
            steps[step]++;
        }
        *findings += n;
    } while (after && *findings < GRAPH_LOOK_MAX);
    return OK;
}

err_t graph_run_write(struct db *db, struct jw *w, int64_t lookback_hours, bool enabled)
{
    instant_t now = clock_now(), cutoff = now - lookback_hours * HOUR_MS;
    const char **companies;
    int company_count, findings = 0, retired = 0, steps[GRAPH_STEPS] = {0};
    TRY(graph_companies(db, &companies, &company_count));
    for (int c = 0; c < company_count; c++) TRY(run_company(db, companies[c], cutoff, &findings, steps, &retired));
    jw_obj(w);
    jw_kint(w, "lookbackHours", lookback_hours);
    jw_ktime(w, "cutoff", cutoff);
    jw_ktime(w, "generatedAt", now);
    jw_kbool(w, "autoRecoveryEnabled", enabled);
    jw_kint(w, "findings", findings);
    jw_kint(w, "escalationsCreated", steps[GRAPH_CREATED]);
    jw_kint(w, "existingEscalations", steps[GRAPH_EXISTS]);
    jw_kint(w, "skippedOutsideLookback", steps[GRAPH_TOO_OLD]);
    jw_kint(w, "skippedCooldown", steps[GRAPH_COOLING]);
    jw_kint(w, "skippedWithoutOwner", steps[GRAPH_NO_OWNER]);
    jw_kint(w, "obsoleteCancelled", retired);
    jw_obj_end(w);
    return OK;
}
