/* graph_liveness: finding incidents. What is done about them is in graph_recovery.c. */
#include "model/graph_liveness.h"

#include "base/text.h"
#include "model/explain.h"

#define PAGE 100
/* What recovery itself filed is never reported (EX-128); of a chain only its top is. */
#define CANDIDATES                                                                                          \
    "WHERE company_id = $1 AND id > $2 AND hidden_at IS NULL AND origin_kind NOT IN (" RECOVERY_ORIGINS ")" \
    " AND (status = 'blocked' OR (status = 'in_review' AND assignee_agent_id IS NOT NULL))"                 \
    " AND NOT EXISTS (SELECT 1 FROM issue_relations x JOIN issues d ON d.id = x.related_issue_id"           \
    " WHERE x.issue_id = issues.id AND x.type = 'blocks' AND d.status = 'blocked' AND d.hidden_at IS NULL)" \
    " ORDER BY id LIMIT $3"
#define RECOVERY_ORIGINS                                                                                        \
    "'harness_liveness_escalation','stale_active_run_evaluation','issue_productivity_review','task_watchdog','" \
    "stranded_issue_recovery'"
#define LOWEST_ID "00000000-0000-0000-0000-000000000000"

static const char *participant(const struct issue *i)
{
    const json_t *state = json_read(i->execution_state), *p = json_object_get(state, "currentParticipant");
    if (!text_is(json_str(state, "status"), "pending") || !json_is_object(p)) return NULL;
    const char *agent = json_str(p, "agentId");
    return agent ? agent : json_str(p, "userId");
}

static err_t fill(struct db *db, const struct explained *x, const struct issue *source, const struct graph_verdict *v,
                  struct graph_incident *out)
{
    struct arena *a = db_arena(db);
    const char *name = graph_finding_name(v->finding), *who = participant(source);
    *out = (struct graph_incident){.company_id = source->company_id,
                                   .source = *source,
                                   .finding = v->finding,
                                   .leaf_id = x->map.refs[v->leaf].id,
                                   .leaf_agent_id = x->map.refs[v->leaf].assignee_agent_id,
                                   .changed_at = source->updated_at};
    const char *about = v->finding == GRAPH_INVALID_REVIEW_PARTICIPANT ? (who ? who : "none") : out->leaf_id;
    out->incident_key = arena_printf(a, "harness_liveness:%s:%s:%s:%s", source->company_id, source->id, name, about);
    out->leaf_key = arena_printf(a, "harness_liveness_leaf:%s:%s:%s", source->company_id, name, out->leaf_id);
    for (int k = 0; k < v->path_length; k++) {
        struct rows r ROWS_AUTO = {0};
        out->path[out->path_length++] = x->map.refs[v->path[k]];
        TRY(db_query(db, &r, "SELECT updated_at FROM issues WHERE id = $1", P(V_ID(x->map.refs[v->path[k]].id))));
        if (rows_next(&r) && row_time(&r, 0) > out->changed_at) out->changed_at = row_time(&r, 0);
        TRY(rows_err(&r));
    }
    return OK;
}

static err_t judge(struct db *db, const char *company_id, const struct issue *rows, int n, struct graph_incident *out,
                   int *count)
{
    struct arena *a = db_arena(db);
    const struct issue **roots = arena_array(a, const struct issue *, n + 1);
    struct explained x;
    *count = 0;
    for (int i = 0; i < n; i++) roots[i] = &rows[i];
    TRY(explain_load(db, company_id, roots, n, &x));
    if (n == 0) return OK;
    bool *pending = arena_array(a, bool, x.map.graph.node_count + 1);
    for (int i = 0; i < n; i++) pending[i] = participant(&rows[i]) != NULL;
    const struct explain_graph g = {x.nodes, x.map.edges, x.map.graph.node_count};
    for (int i = 0; i < n; i++) {
        struct graph_verdict v = graph_liveness_judge(a, &g, x.verdicts, pending, i);
        if (v.finding != GRAPH_HEALTHY) TRY(fill(db, &x, &rows[i], &v, &out[(*count)++]));
    }
    return OK;
}

err_t graph_incidents(struct db *db, const char *company_id, const char *after, struct graph_incident **out, int *count,
                      const char **last)
{
    struct issue *rows;
    int n;
    TRY(entity_many(db, &ENTITY_issue, &rows, &n, CANDIDATES,
                    P(V_ID(company_id), V_ID(after ? after : LOWEST_ID), V_INT(PAGE))));
    *out = arena_array(db_arena(db), struct graph_incident, n + 1);
    *last = n == PAGE ? rows[n - 1].id : NULL;
    return judge(db, company_id, rows, n, *out, count);
}

err_t graph_incident_of(struct db *db, const struct issue *source, struct graph_incident *out, bool *found)
{
    struct graph_incident one[2];
    int n;
    TRY(judge(db, source->company_id, source, 1, one, &n));
    *found = n > 0;
    if (n > 0) *out = one[0];
    return OK;
}

err_t graph_companies(struct db *db, const char ***ids, int *count)
{
    struct rows r ROWS_AUTO = {0};
    int64_t n;
    *count = 0;
    TRY(db_int(db, &n, 0, "SELECT count(*) FROM companies WHERE status = 'active'", P()));
    *ids = arena_array(db_arena(db), const char *, n + 1);
    TRY(db_query(db, &r, "SELECT id FROM companies WHERE status = 'active' ORDER BY id", P()));
    while (rows_next(&r) && *count < n) (*ids)[(*count)++] = row_text(&r, 0);
    return rows_err(&r);
}

/* ---- the preview ---- */

static void item_write(struct arena *a, struct jw *w, const struct graph_incident *i)
{
    const struct issue_ref *leaf = &i->path[i->path_length - 1];
    jw_obj(w);
    jw_kstr(w, "companyId", i->company_id);
    jw_kstr(w, "issueId", i->source.id);
    jw_kstr(w, "identifier", i->source.identifier);
    jw_kstr(w, "title", i->source.title);
    jw_kstr(w, "state", graph_finding_name(i->finding));
    jw_kstr(w, "reason", arena_printf(a, "%s: %s", leaf->identifier, graph_finding_action(i->finding)));
    jw_kstr(w, "recoveryIssueId", leaf->id);
    jw_kstr(w, "recoveryIdentifier", leaf->identifier);
    jw_kstr(w, "recoveryTitle", leaf->title);
    jw_kstr(w, "incidentKey", i->incident_key);
    jw_ktime(w, "latestDependencyUpdatedAt", i->changed_at);
    jw_karr(w, "dependencyPath");
    for (int k = 0; k < i->path_length; k++) {
        jw_obj(w);
        jw_kstr(w, "issueId", i->path[k].id);
        jw_kstr(w, "identifier", i->path[k].identifier);
        jw_kstr(w, "title", i->path[k].title);
        jw_kstr(w, "status", i->path[k].status);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_obj_end(w);
}

err_t graph_preview_write(struct db *db, struct jw *w, int64_t lookback_hours)
{
    instant_t cutoff = clock_now() - lookback_hours * HOUR_MS;
    const char **companies;
    int company_count, findings = 0, fresh = 0;
    TRY(graph_companies(db, &companies, &company_count));
    jw_obj(w);
    jw_kint(w, "lookbackHours", lookback_hours);
    jw_ktime(w, "cutoff", cutoff);
    jw_ktime(w, "generatedAt", clock_now());
    jw_karr(w, "items");
    for (int c = 0; c < company_count; c++) {
        const char *after = NULL;
        do {
            struct graph_incident *found;
            int n;
            TRY(graph_incidents(db, companies[c], after, &found, &n, &after));
            for (int i = 0; i < n; i++) {
                findings++;
                if (found[i].changed_at < cutoff) continue;
                if (fresh++ < GRAPH_PREVIEW_MAX) item_write(db_arena(db), w, &found[i]);
            }
        } while (after && findings < GRAPH_LOOK_MAX);
    }
    jw_arr_end(w);
    jw_kint(w, "findings", findings);
    jw_kint(w, "recoverableFindings", fresh);
    jw_kint(w, "skippedOutsideLookback", findings - fresh);
    jw_obj_end(w);
    return OK;
}
