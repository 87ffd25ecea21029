/* workspace_busy: the holder of a workspace, by what its runs were given. */
#include "model/workspace_busy.h"

#include "base/settings.h"
#include "base/text.h"
#include "rules/adapter_types.h"
#include "rules/workspace_choice.h"

#define SUSPECT_MS HOUR_MS /* a run that said nothing for so long holds nobody up */

#define UNDER_WAY \
    " r.company_id = $1 AND r.claimed_at IS NOT NULL AND r.closed_at IS NULL AND r.id <> $2 AND i.id <> $3"

static err_t first(struct db *db, struct workspace_holder *out, const char **adapter, const char *sql,
                   const struct dbv *v, int n)
{
    struct rows r ROWS_AUTO = {0};
    *out = (struct workspace_holder){0};
    TRY(db_query(db, &r, sql, v, n));
    if (rows_next(&r)) {
        *out = (struct workspace_holder){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2)};
        *adapter = row_text(&r, 3);
    }
    return rows_err(&r);
}

/* WS-105: one worktree, several issues: always one at a time. */
static err_t same_worktree(struct db *db, const struct run *run, const struct issue *issue,
                           struct workspace_holder *out)
{
    const char *adapter;
    return first(db, out, &adapter,
                 "SELECT r.id, i.id, i.identifier, NULL FROM heartbeat_runs r JOIN issues i ON i.id = r.issue_id"
                 " JOIN execution_workspaces w ON w.id = i.execution_workspace_id WHERE i.execution_workspace_id = $4"
                 " AND w.mode IN ('isolated_workspace','operator_branch') AND" UNDER_WAY
                 " ORDER BY r.claimed_at, r.id LIMIT 1",
                 P(V_ID(run->company_id), V_ID(run->id), V_ID(issue->id), V_ID(issue->execution_workspace_id)));
}

/* WS-100: the oldest run that works in the project's own checkout, by its workspace, or before it has one by its wish. */
static err_t same_checkout(struct db *db, const struct run *run, const struct issue *issue,
                           struct workspace_holder *out, const char **adapter)
{
    return first(
        db, out, adapter,
        "SELECT r.id, i.id, i.identifier, a.adapter_type FROM heartbeat_runs r JOIN issues i ON i.id = r.issue_id"
        " JOIN agents a ON a.id = r.agent_id WHERE i.project_workspace_id = $4 AND coalesce(r.last_output_at, r.started_at, r.created_at) > $5"
        " AND NOT EXISTS (SELECT 1 FROM workspace_operations o JOIN execution_workspaces w ON w.id = o.execution_workspace_id"
        "   WHERE o.heartbeat_run_id = r.id AND w.strategy_type = 'git_worktree')"
        " AND (EXISTS (SELECT 1 FROM workspace_operations o WHERE o.heartbeat_run_id = r.id AND o.execution_workspace_id IS NOT NULL)"
        "   OR coalesce(i.execution_workspace_settings ->> 'mode', 'shared_workspace') NOT IN ('isolated_workspace','operator_branch'))"
        " AND" UNDER_WAY " ORDER BY r.claimed_at, r.id LIMIT 1",
        P(V_ID(run->company_id), V_ID(run->id), V_ID(issue->id), V_ID(issue->project_workspace_id),
          V_TIME(clock_now() - SUSPECT_MS)));
}

static json_t *object(const char *text)
{
    json_t *j = json_read(text);
    return json_is_object(j) ? j : NULL;
}

/* WS-101, WS-104 */
static err_t serialized(struct db *db, const struct run *run, const struct workspace_choice *c,
                        const char *holders_adapter, bool *yes)
{
    const char *adapter = NULL;
    *yes = text_is(c->concurrency, "serialize");
    if (*yes || text_is(c->concurrency, "allow")) return OK;
    TRY(db_text(db, &adapter, "SELECT adapter_type FROM agents WHERE id = $1", P(V_ID(run->agent_id))));
    *yes = adapter && holders_adapter && adapter_type_remote(adapter) && adapter_type_remote(holders_adapter);
    return OK;
}

err_t workspace_busy(struct db *db, const struct run *run, const struct issue *issue, struct workspace_holder *out)
{
    const char *policy = NULL, *adapter = NULL;
    bool yes;
    *out = (struct workspace_holder){0};
    if (issue->project_id == NULL) return OK;
    if (issue->execution_workspace_id && text_is(issue->execution_workspace_preference, "reuse_existing")) {
        TRY(same_worktree(db, run, issue, out));
        if (out->run_id) return OK;
    }
    if (issue->project_workspace_id == NULL) return OK;
    TRY(same_checkout(db, run, issue, out, &adapter));
    if (out->run_id == NULL) return OK;
    TRY(db_text(db, &policy, "SELECT execution_workspace_policy FROM projects WHERE id = $1",
                P(V_ID(issue->project_id))));
    struct workspace_choice c =
        workspace_choose(&(struct workspace_wish){.policy = object(policy),
                                                  .settings = object(issue->execution_workspace_settings),
                                                  .isolated = settings.isolated_workspaces,
                                                  .default_mode = settings.workspace_default_mode});
    yes = false;
    if (c.mode == MODE_SHARED) TRY(serialized(db, run, &c, adapter, &yes));
    if (!yes) *out = (struct workspace_holder){0};
    return OK;
}
