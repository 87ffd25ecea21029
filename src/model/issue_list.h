/* issue_list: finding issues of a company (IS §7), in pages, over maintained columns. */
#ifndef BULLDOG_MODEL_ISSUE_LIST_H
#define BULLDOG_MODEL_ISSUE_LIST_H

#include "base/json.h"
#include "store/entity.h"

/* Unset members do not filter. Ids are valid UUIDs. */
struct issue_filter {
    const char *company_id;
    const char *const *statuses; /* any of these */
    int status_count;
    const char *assignee_agent_id;
    bool unassigned; /* no agent */
    const char *assignee_user_id, *touched_by_user_id, *participant_agent_id;
    const char *unread_for_user_id, *inbox_of_user_id; /* with news for them; not put away by them (IS-72) */
    const char *project_id, *workspace_id, *execution_workspace_id, *parent_id, *descendant_of, *label_id;
    const char *origin_kind, *origin_kind_prefix, *origin_id;
    instant_t updated_since;      /* INSTANT_NONE: any time */
    bool with_plan, without_plan; /* a document named plan */
    bool exclude_routine_executions, include_plugin_operations, attention_blocked;
    const char *q;
    bool by_update; /* sortField=updated */
    bool ascending;
    int limit, offset;
};
err_t issue_list(struct db *db, const struct issue_filter *f, struct issue **rows, int *count) MUST_CHECK;
/* How many there are; beyond ISSUE_COUNT_MAX nobody counts. */
#define ISSUE_COUNT_MAX 10000
err_t issue_count(struct db *db, const struct issue_filter *f, int64_t *total) MUST_CHECK;

/* How many issues below each row have a run at work; one count a row. */
err_t issue_live_below(struct db *db, const struct issue *rows, int count, int64_t **out) MUST_CHECK;

#endif
