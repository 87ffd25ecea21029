/*
 * agent_delete: removing an agent without tearing holes into the company's
 * history (AR-16 BETTER). Its runs, wakes, keys and state go; issues lose
 * their assignee; comments stay and keep the author's name; activity stays.
 */
#include "model/activity.h"
#include "model/agent_control.h"
#include "model/agent_view.h"
#include "model/grant.h"

#include <string.h>

/* Is a process of this agent perhaps still alive? Only its run row leads to it. */
static err_t still_running(struct db *db, const struct agent *agent, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM heartbeat_runs WHERE agent_id = $1 AND claimed_at IS NOT NULL AND closed_at IS NULL",
        P(V_ID(agent->id))));
    *yes = n > 0;
    return OK;
}

/* The comment's metadata with a section that names the author. */
static const char *signed_metadata(struct arena *a, const char *metadata, const struct agent *agent)
{
    json_t *m = json_read(metadata);
    if (!json_is_object(m)) m = json_pack("{s:i}", "version", 1);
    json_t *sections = json_object_get(m, "sections");
    if (!json_is_array(sections)) json_object_set(m, "sections", sections = json_array());
    json_array_append_new(sections, json_pack("{s:s, s:[{s:s, s:s, s:s}]}", "title", "Author", "rows", "type",
                                              "key_value", "label", "Deleted agent", "value", agent->name));
    return json_text(a, m);
}

static err_t sign_comments(struct db *db, const struct agent *agent)
{
    struct comment *rows;
    int n;
    TRY(entity_many(db, &ENTITY_comment, &rows, &n, "WHERE author_agent_id = $1", P(V_ID(agent->id))));
    for (int i = 0; i < n; i++)
        TRY(db_exec_one(db, "UPDATE issue_comments SET metadata = $2, author_agent_id = NULL WHERE id = $1",
                        P(V_ID(rows[i].id), V_JSON(signed_metadata(db_arena(db), rows[i].metadata, agent)))));
    return OK;
}

/* Work in progress goes back to the queue of work: nobody does it now. */
static err_t release_issues(struct db *db, const struct actor *actor, const struct agent *agent)
{
    struct issue *rows;
    int n;
    TRY(entity_many(db, &ENTITY_issue, &rows, &n, "WHERE assignee_agent_id = $1 ORDER BY id", P(V_ID(agent->id))));
    for (int i = 0; i < n; i++) {
        bool active = strcmp(rows[i].status, "in_progress") == 0;
        const char *status = active ? "todo" : rows[i].status;
        TRY(db_exec_one(
            db,
            "UPDATE issues SET assignee_agent_id = NULL, status = $2, updated_at = $3, last_activity_at = $3,"
            " dispatch_expected_since = NULL WHERE id = $1",
            P(V_ID(rows[i].id), V_TEXT(status), V_TIME(clock_now()))));
        TRY(activity_log(db, actor,
                         &(struct activity_entry){.company_id = agent->company_id,
                                                  .action = "issue.updated",
                                                  .entity_type = "issue",
                                                  .entity_id = rows[i].id,
                                                  .details = json_pack("{s:s?, s:s, s:n, s:s}", "identifier",
                                                                       rows[i].identifier, "status", status,
                                                                       "assigneeAgentId", "source", "agent_deleted")}));
    }
    return OK;
}

err_t agent_delete(struct db *db, const struct actor *actor, struct agent *agent, bool *stopping)
{
    static const char code[] = "built_in_agent_undeletable";
    if (json_object_get(json_read(agent->metadata), "paperclipBuiltInAgent"))
        return err_with(db_arena(db), ERR_CONFLICT, code, "{\"code\":\"built_in_agent_undeletable\"}",
                        "Built-in agents cannot be deleted");
    if (strcmp(agent->status, "terminated") != 0) TRY(agent_move(db, actor, agent, AGENT_TERMINATE));
    TRY(still_running(db, agent, stopping));
    if (*stopping) return OK;
    TRY(release_issues(db, actor, agent));
    TRY(sign_comments(db, agent));
    TRY(grant_forget(db, agent));
    TRY(activity_log(db, actor,
                     &(struct activity_entry){.company_id = agent->company_id,
                                              .action = "agent.deleted",
                                              .entity_type = "agent",
                                              .entity_id = agent->id,
                                              .details = json_pack("{s:s}", "name", agent->name)}));
    return db_exec_one(db, "DELETE FROM agents WHERE id = $1", P(V_ID(agent->id)));
}
