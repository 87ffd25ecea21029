/* entity: one description per table, many uses. */
#include "store/entity.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define F(name, kind, flags) {#name, NULL, K_##kind, FF_##flags, offsetof(struct ROW, name)},
#define ROW company
static struct field company_fields[] = {
#include "tables/entity_company.def"
};
#undef ROW
#define ROW agent
static struct field agent_fields[] = {
#include "tables/entity_agent.def"
};
#undef ROW
#define ROW agent_key
static struct field agent_key_fields[] = {
#include "tables/entity_agent_key.def"
};
#undef ROW
#define ROW membership
static struct field membership_fields[] = {
#include "tables/entity_membership.def"
};
#undef ROW
#define ROW grant
static struct field grant_fields[] = {
#include "tables/entity_grant.def"
};
#undef ROW
#define ROW goal
static struct field goal_fields[] = {
#include "tables/entity_goal.def"
};
#undef ROW
#define ROW project
static struct field project_fields[] = {
#include "tables/entity_project.def"
};
#undef ROW
#define ROW project_workspace
static struct field project_workspace_fields[] = {
#include "tables/entity_project_workspace.def"
};
#undef ROW
#define ROW issue
static struct field issue_fields[] = {
#include "tables/entity_issue.def"
};
#undef ROW
#define ROW comment
static struct field comment_fields[] = {
#include "tables/entity_comment.def"
};
#undef ROW
#define ROW label
static struct field label_fields[] = {
#include "tables/entity_label.def"
};
#undef ROW
#define ROW tree_hold
static struct field tree_hold_fields[] = {
#include "tables/entity_tree_hold.def"
};
#undef ROW
#define ROW tree_hold_member
static struct field tree_hold_member_fields[] = {
#include "tables/entity_tree_hold_member.def"
};
#undef ROW
#define ROW approval
static struct field approval_fields[] = {
#include "tables/entity_approval.def"
};
#undef ROW
#define ROW approval_comment
static struct field approval_comment_fields[] = {
#include "tables/entity_approval_comment.def"
};
#undef ROW
#define ROW document
static struct field document_fields[] = {
#include "tables/entity_document.def"
};
#undef ROW
#define ROW document_revision
static struct field document_revision_fields[] = {
#include "tables/entity_document_revision.def"
};
#undef ROW
#define ROW decomposition
static struct field decomposition_fields[] = {
#include "tables/entity_decomposition.def"
};
#undef ROW
#define ROW work_product
static struct field work_product_fields[] = {
#include "tables/entity_work_product.def"
};
#undef ROW
#define ROW interaction
static struct field interaction_fields[] = {
#include "tables/entity_interaction.def"
};
#undef ROW
#define ROW wake
static struct field wake_fields[] = {
#include "tables/entity_wake.def"
};
#undef ROW
#define ROW run
static struct field run_fields[] = {
#include "tables/entity_run.def"
};
#undef ROW
#define ROW run_data
static struct field run_data_fields[] = {
#include "tables/entity_run_data.def"
};
#undef ROW
#define ROW run_event
static struct field run_event_fields[] = {
#include "tables/entity_run_event.def"
};
#undef ROW
#define ROW recovery_action
static struct field recovery_action_fields[] = {
#include "tables/entity_recovery_action.def"
};
#undef ROW
#define ROW activity
static struct field activity_fields[] = {
#include "tables/entity_activity.def"
};
#undef ROW
#define ROW runtime_state
static struct field runtime_state_fields[] = {
#include "tables/entity_runtime_state.def"
};
#undef ROW
#define ROW watchdog
static struct field watchdog_fields[] = {
#include "tables/entity_watchdog.def"
};
#undef ROW
#define ROW environment
static struct field environment_fields[] = {
#include "tables/entity_environment.def"
};
#undef ROW
#define ROW execution_workspace
static struct field execution_workspace_fields[] = {
#include "tables/entity_execution_workspace.def"
};
#undef ROW
#define ROW workspace_operation
static struct field workspace_operation_fields[] = {
#include "tables/entity_workspace_operation.def"
};
#undef ROW
#define ROW config_revision
static struct field config_revision_fields[] = {
#include "tables/entity_config_revision.def"
};
#undef ROW
#define ROW read_state
static struct field read_state_fields[] = {
#include "tables/entity_read_state.def"
};
#undef ROW
#define ROW inbox_archive
static struct field inbox_archive_fields[] = {
#include "tables/entity_inbox_archive.def"
};
#undef ROW
#define ROW inbox_dismissal
static struct field inbox_dismissal_fields[] = {
#include "tables/entity_inbox_dismissal.def"
};
#undef ROW
#define ROW task_session
static struct field task_session_fields[] = {
#include "tables/entity_task_session.def"
};
#undef ROW
#undef F

#define DEFINE(n, t)             \
    struct entity ENTITY_##n = { \
        #n, t, n##_fields, (int)(sizeof n##_fields / sizeof *n##_fields), sizeof(struct n), .columns = NULL}
DEFINE(company, "companies");
DEFINE(agent, "agents");
DEFINE(agent_key, "agent_api_keys");
DEFINE(membership, "company_memberships");
DEFINE(grant, "principal_permission_grants");
DEFINE(goal, "goals");
DEFINE(project, "projects");
DEFINE(project_workspace, "project_workspaces");
DEFINE(issue, "issues");
DEFINE(comment, "issue_comments");
DEFINE(label, "labels");
DEFINE(tree_hold, "issue_tree_holds");
DEFINE(tree_hold_member, "issue_tree_hold_members");
DEFINE(approval, "approvals");
DEFINE(approval_comment, "approval_comments");
DEFINE(document, "documents");
DEFINE(document_revision, "document_revisions");
DEFINE(decomposition, "accepted_plan_decompositions");
DEFINE(work_product, "issue_work_products");
DEFINE(interaction, "issue_thread_interactions");
DEFINE(wake, "agent_wakeup_requests");
DEFINE(run, "heartbeat_runs");
DEFINE(run_data, "heartbeat_run_data");
DEFINE(run_event, "heartbeat_run_events");
DEFINE(recovery_action, "issue_recovery_actions");
DEFINE(activity, "activity_log");
DEFINE(runtime_state, "agent_runtime_state");
DEFINE(watchdog, "issue_watchdogs");
DEFINE(environment, "environments");
DEFINE(execution_workspace, "execution_workspaces");
DEFINE(workspace_operation, "workspace_operations");
DEFINE(config_revision, "agent_config_revisions");
DEFINE(read_state, "issue_read_states");
DEFINE(inbox_archive, "issue_inbox_archives");
DEFINE(inbox_dismissal, "inbox_dismissals");
DEFINE(task_session, "agent_task_sessions");

struct entity *const ENTITIES[] = {
    &ENTITY_company,
    &ENTITY_agent,
    &ENTITY_agent_key,
    &ENTITY_membership,
    &ENTITY_grant,
    &ENTITY_goal,
    &ENTITY_project,
    &ENTITY_project_workspace,
    &ENTITY_issue,
    &ENTITY_comment,
    &ENTITY_label,
    &ENTITY_approval,
    &ENTITY_approval_comment,
    &ENTITY_document,
    &ENTITY_document_revision,
    &ENTITY_decomposition,
    &ENTITY_work_product,
    &ENTITY_interaction,
    &ENTITY_wake,
    &ENTITY_run,
    &ENTITY_run_data,
    &ENTITY_run_event,
    &ENTITY_recovery_action, &ENTITY_activity,
    &ENTITY_runtime_state,
    &ENTITY_watchdog,
    &ENTITY_environment,
    &ENTITY_execution_workspace,
    &ENTITY_workspace_operation,
    &ENTITY_tree_hold,
    &ENTITY_tree_hold_member,
    &ENTITY_config_revision,
    &ENTITY_task_session,
    &ENTITY_read_state,
    &ENTITY_inbox_archive,
    &ENTITY_inbox_dismissal,
    NULL,
};

/* issue_number → issueNumber */
static char *camel(struct arena *a, const char *name)
{
    char *out = arena_strdup(a, name), *q = out;
    for (const char *p = name; *p; p++) *q++ = *p == '_' && p[1] ? (char)toupper((unsigned char)*++p) : *p;
    *q = 0;
    return out;
}

static bool stored(const struct field *f) { return !(f->flags & FF_CALC); }

static const char *insert_sql(struct arena *a, const struct entity *e)
{
    struct buf cols BUF_AUTO = {0}, marks BUF_AUTO = {0};
    for (int i = 0, n = 0; i < e->count; i++) {
        const struct field *f = &e->fields[i];
        if (!stored(f) || (f->flags & FF_SERIAL)) continue;
        buf_printf(&cols, "%s%s", n ? ", " : "", f->name);
        buf_printf(&marks, "%s$%d", n ? ", " : "", n + 1);
        n++;
    }
    return arena_printf(a, "INSERT INTO %s (%s) VALUES (%s)", e->table, cols.data, marks.data);
}

void entity_setup(void)
{
    static struct arena a; /* lives as long as the process */
    if (ENTITY_company.columns) return;
    for (struct entity *const *pe = ENTITIES; *pe; pe++) {
        struct entity *e = *pe;
        for (int i = 0; i < e->count; i++) e->fields[i].json = camel(&a, e->fields[i].name);
        e->columns = entity_columns(&a, e, NULL);
        e->select = arena_printf(&a, "SELECT %s FROM %s ", e->columns, e->table);
        e->select_len = strlen(e->select);
        e->insert = insert_sql(&a, e);
    }
}

static void *at(const struct field *f, void *row) { return (char *)row + f->offset; }
static const void *at_const(const struct field *f, const void *row) { return (const char *)row + f->offset; }
static const char *text_of(const struct field *f, const void *row) { return *(const char *const *)at_const(f, row); }
static int64_t int_of(const struct field *f, const void *row) { return *(const int64_t *)at_const(f, row); }
static bool bool_of(const struct field *f, const void *row) { return *(const bool *)at_const(f, row); }
static double real_of(const struct field *f, const void *row) { return *(const double *)at_const(f, row); }

void entity_init(const struct entity *e, void *row)
{
    memset(row, 0, e->size);
    for (int i = 0; i < e->count; i++) {
        const struct field *f = &e->fields[i];
        if (f->kind == K_TIME || (f->flags & FF_NULLINT)) *(int64_t *)at(f, row) = INT64_MIN;
    }
}

const struct field *entity_field(const struct entity *e, const char *json_name)
{
    for (int i = 0; i < e->count; i++)
        if (strcmp(e->fields[i].json, json_name) == 0) return &e->fields[i];
    return NULL;
}

const char *entity_columns(struct arena *a, const struct entity *e, const char *alias)
{
    if (alias == NULL && e->columns) return e->columns;
    struct buf b = {0};
    for (int i = 0; i < e->count; i++) {
        if (!stored(&e->fields[i])) continue;
        if (b.len) buf_puts(&b, ", ");
        if (alias) buf_printf(&b, "%s.", alias);
        buf_puts(&b, e->fields[i].name);
    }
    return buf_finish(&b, a);
}

int entity_decode(const struct entity *e, const struct rows *r, int first, void *row)
{
    entity_init(e, row);
    int col = first;
    for (int i = 0; i < e->count; i++) {
        const struct field *f = &e->fields[i];
        if (!stored(f)) continue;
        switch (f->kind) {
        case K_ID:
        case K_TEXT:
        case K_JSON: *(const char **)at(f, row) = row_text(r, col); break;
        case K_INT:
            *(int64_t *)at(f, row) = (f->flags & FF_NULLINT) && row_null(r, col) ? INT_NONE : row_int(r, col);
            break;
        case K_TIME: *(instant_t *)at(f, row) = row_time(r, col); break;
        case K_BOOL: *(bool *)at(f, row) = row_bool(r, col); break;
        case K_REAL: *(double *)at(f, row) = row_real(r, col); break;
        }
        col++;
    }
    return col;
}

static const char *select_sql(struct db *db, const struct entity *e, const char *tail)
{
    size_t n = strlen(tail) + 1;
    char *sql = arena_alloc(db_arena(db), e->select_len + n);
    memcpy(sql, e->select, e->select_len);
    memcpy(sql + e->select_len, tail, n);
    return sql;
}

err_t entity_one(struct db *db, const struct entity *e, void *row, bool *found, const char *tail, const struct dbv *v,
                 int n)
{
    struct rows r ROWS_AUTO = {0};
    *found = false;
    TRY(db_query(db, &r, select_sql(db, e, tail), v, n));
    if (rows_next(&r)) {
        entity_decode(e, &r, 0, row);
        *found = true;
    }
    return rows_err(&r);
}

err_t entity_many(struct db *db, const struct entity *e, void *rows_out, int *count, const char *tail,
                  const struct dbv *v, int n)
{
    struct rows r ROWS_AUTO = {0};
    struct arena *a = db_arena(db);
    int cap = 16, used = 0;
    char *array = arena_alloc(a, e->size * (size_t)cap);
    TRY(db_query(db, &r, select_sql(db, e, tail), v, n));
    while (rows_next(&r)) {
        if (used == cap) {
            char *bigger = arena_alloc(a, e->size * (size_t)cap * 2);
            memcpy(bigger, array, e->size * (size_t)cap);
            array = bigger;
            cap *= 2;
        }
        entity_decode(e, &r, 0, array + e->size * (size_t)used++);
    }
    *(void **)rows_out = array;
    *count = used;
    return rows_err(&r);
}

static struct dbv value_of(const struct field *f, const void *row)
{
    switch (f->kind) {
    case K_ID: return V_ID(text_of(f, row));
    case K_TEXT: return V_TEXT(text_of(f, row));
    case K_JSON: return V_JSON(text_of(f, row));
    case K_INT: {
        struct dbv v = V_INT(int_of(f, row));
        v.null = (f->flags & FF_NULLINT) && v.v.i == INT_NONE;
        return v;
    }
    case K_BOOL: return V_BOOL(bool_of(f, row));
    case K_TIME: return V_TIME(int_of(f, row));
    case K_REAL: return V_REAL(real_of(f, row));
    }
    abort();
}

err_t entity_insert(struct db *db, const struct entity *e, const void *row)
{
    struct dbv values[96];
    int n = 0;
    assert(e->count <= (int)(sizeof values / sizeof *values));
    for (int i = 0; i < e->count; i++) {
        const struct field *f = &e->fields[i];
        if (stored(f) && !(f->flags & FF_SERIAL)) values[n++] = value_of(f, row);
    }
    return db_exec_one(db, e->insert, values, n);
}

bool entity_same(const struct field *f, const void *a, const void *b)
{
    switch (f->kind) {
    case K_ID:
    case K_TEXT:
    case K_JSON: {
        const char *x = text_of(f, a), *y = text_of(f, b);
        return x == y || (x && y && strcmp(x, y) == 0);
    }
    case K_INT:
    case K_TIME: return int_of(f, a) == int_of(f, b);
    case K_BOOL: return bool_of(f, a) == bool_of(f, b);
    case K_REAL: return !(real_of(f, a) < real_of(f, b)) && !(real_of(f, a) > real_of(f, b));
    }
    abort();
}

err_t entity_update(struct db *db, const struct entity *e, const void *before, const void *after)
{
    struct dbv values[97];
    int n = 0;
    struct buf set BUF_AUTO = {0};
    for (int i = 1; i < e->count; i++) {
        const struct field *f = &e->fields[i];
        if (!stored(f) || entity_same(f, before, after)) continue;
        buf_printf(&set, "%s%s = $%d", n ? ", " : "", f->name, n + 1);
        values[n++] = value_of(f, after);
    }
    if (n == 0) return OK;
    values[n++] = value_of(&e->fields[0], before);
    const char *sql =
        arena_printf(db_arena(db), "UPDATE %s SET %s WHERE %s = $%d", e->table, set.data, e->fields[0].name, n);
    return db_exec_one(db, sql, values, n);
}

void entity_write_field(struct jw *w, const struct field *f, const void *row)
{
    switch (f->kind) {
    case K_ID:
    case K_TEXT: jw_str(w, text_of(f, row)); break;
    case K_JSON: jw_raw(w, text_of(f, row)); break;
    case K_INT:
        if ((f->flags & FF_NULLINT) && int_of(f, row) == INT_NONE) jw_null(w);
        else jw_int(w, int_of(f, row));
        break;
    case K_BOOL: jw_bool(w, bool_of(f, row)); break;
    case K_TIME: jw_time(w, int_of(f, row)); break;
    case K_REAL: jw_real(w, real_of(f, row)); break;
    }
}

void entity_write(struct jw *w, const struct entity *e, const void *row, enum view view)
{
    for (int i = 0; i < e->count; i++) {
        const struct field *f = &e->fields[i];
        if (f->flags & FF_HIDDEN) continue;
        if (view == VIEW_COMPACT && !(f->flags & FF_COMPACT)) continue;
        jw_key(w, f->json);
        if (view != VIEW_FULL && (f->flags & FF_LISTNULL)) jw_null(w);
        else entity_write_field(w, f, row);
    }
}

void entity_set(struct arena *a, const struct field *f, void *row, const json_t *v)
{
    bool null = v == NULL || json_is_null(v);
    switch (f->kind) {
    case K_ID: {
        char *s = null ? NULL : arena_strdup(a, json_string_value(v));
        for (char *p = s; p && *p; p++) *p = (char)tolower((unsigned char)*p);
        *(const char **)at(f, row) = s;
        break;
    }
    case K_TEXT: *(const char **)at(f, row) = null ? NULL : arena_strdup(a, json_string_value(v)); break;
    case K_JSON: *(const char **)at(f, row) = null ? NULL : json_text(a, v); break;
    case K_INT:
        *(int64_t *)at(f, row) = null              ? ((f->flags & FF_NULLINT) ? INT_NONE : 0)
                                 : json_is_real(v) ? (int64_t)json_real_value(v)
                                                   : (int64_t)json_integer_value(v);
        break;
    case K_BOOL: *(bool *)at(f, row) = json_is_true(v); break;
    case K_REAL: *(double *)at(f, row) = null ? 0 : json_number_value(v); break;
    case K_TIME: {
        instant_t t;
        *(instant_t *)at(f, row) = !null && instant_parse(json_string_value(v), &t) ? t : INSTANT_NONE;
        break;
    }
    }
}
