/*
 * entity: the tables of src/tables/entity_*.def become structs, and one runtime
 * description of each, from which the select lists, row codec, JSON codec,
 * INSERT, UPDATE, change lists and OpenAPI schemas are made.
 *
 * Column and struct field share a name (issue_number); the wire name is its
 * camelCase (issueNumber). Absent values: NULL, INSTANT_NONE, INT_NONE (only for
 * columns flagged NULLINT).
 */
#ifndef BULLDOG_STORE_ENTITY_H
#define BULLDOG_STORE_ENTITY_H

#include "base/json.h"
#include "store/db.h"

#define INT_NONE INT64_MIN

enum field_flags {
    FF_0 = 0,
    FF_HIDDEN = 1,   /* never on the wire */
    FF_CALC = 2,     /* on the wire, not a column: filled by the model */
    FF_COMPACT = 4,  /* in compact rows (IS-14) */
    FF_LISTNULL = 8, /* null in lists (IS §2.1) */
    FF_NULLINT = 16, /* INT_NONE is null */
    FF_SERIAL = 32,  /* the database numbers it */
};

/* X-macro helpers: FIELD kinds → C types */
#define CTYPE_ID const char *
#define CTYPE_TEXT const char *
#define CTYPE_JSON const char *
#define CTYPE_INT int64_t
#define CTYPE_BOOL bool
#define CTYPE_TIME instant_t
#define CTYPE_REAL double

#define F(name, kind, flags) CTYPE_##kind name;
/* The preprocessor cannot include inside a macro: one struct per line here. */
struct company {
#include "tables/entity_company.def"
};
struct agent {
#include "tables/entity_agent.def"
};
struct agent_key {
#include "tables/entity_agent_key.def"
};
struct membership {
#include "tables/entity_membership.def"
};
struct grant {
#include "tables/entity_grant.def"
};
struct goal {
#include "tables/entity_goal.def"
};
struct project {
#include "tables/entity_project.def"
};
struct project_workspace {
#include "tables/entity_project_workspace.def"
};
struct issue {
#include "tables/entity_issue.def"
};
struct comment {
#include "tables/entity_comment.def"
};
struct label {
#include "tables/entity_label.def"
};
struct tree_hold {
#include "tables/entity_tree_hold.def"
};
struct tree_hold_member {
#include "tables/entity_tree_hold_member.def"
};
struct approval {
#include "tables/entity_approval.def"
};
struct approval_comment {
#include "tables/entity_approval_comment.def"
};
struct document {
#include "tables/entity_document.def"
};
struct document_revision {
#include "tables/entity_document_revision.def"
};
struct decomposition {
#include "tables/entity_decomposition.def"
};
struct work_product {
#include "tables/entity_work_product.def"
};
struct interaction {
#include "tables/entity_interaction.def"
};
struct wake {
#include "tables/entity_wake.def"
};
struct run {
#include "tables/entity_run.def"
};
struct run_data {
#include "tables/entity_run_data.def"
};
struct run_event {
#include "tables/entity_run_event.def"
};
struct recovery_action {
#include "tables/entity_recovery_action.def"
};
struct activity {
#include "tables/entity_activity.def"
};
struct runtime_state {
#include "tables/entity_runtime_state.def"
};
struct watchdog {
#include "tables/entity_watchdog.def"
};
struct environment {
#include "tables/entity_environment.def"
};
struct execution_workspace {
#include "tables/entity_execution_workspace.def"
};
struct workspace_operation {
#include "tables/entity_workspace_operation.def"
};
struct config_revision {
#include "tables/entity_config_revision.def"
};
struct read_state {
#include "tables/entity_read_state.def"
};
struct inbox_archive {
#include "tables/entity_inbox_archive.def"
};
struct inbox_dismissal {
#include "tables/entity_inbox_dismissal.def"
};
struct task_session {
#include "tables/entity_task_session.def"
};
#undef F

struct field {
    const char *name; /* column */
    const char *json; /* wire name */
    enum db_kind kind;
    unsigned flags;
    size_t offset;
};

struct entity {
    const char *name, *table;
    struct field *fields;
    int count;
    size_t size;
    /* made at start */
    const char *columns; /* "id, company_id, …" of the stored fields */
    const char *select;  /* "SELECT <columns> FROM <table> " */
    const char *insert;  /* the whole INSERT */
    size_t select_len;
};

extern struct entity ENTITY_company, ENTITY_agent, ENTITY_agent_key, ENTITY_membership, ENTITY_grant, ENTITY_goal,
    ENTITY_project, ENTITY_project_workspace, ENTITY_issue, ENTITY_comment, ENTITY_label, ENTITY_approval,
    ENTITY_approval_comment, ENTITY_document, ENTITY_document_revision, ENTITY_decomposition, ENTITY_work_product,
    ENTITY_interaction, ENTITY_wake, ENTITY_run,
    ENTITY_run_data, ENTITY_run_event, ENTITY_recovery_action, ENTITY_activity, ENTITY_runtime_state, ENTITY_watchdog,
    ENTITY_environment,
    ENTITY_execution_workspace, ENTITY_workspace_operation, ENTITY_tree_hold, ENTITY_tree_hold_member,
    ENTITY_config_revision, ENTITY_task_session, ENTITY_read_state, ENTITY_inbox_archive, ENTITY_inbox_dismissal;
/* All of them, NULL-terminated (DDL check, OpenAPI). */
extern struct entity *const ENTITIES[];

/* Makes wire names and column lists; once, before any thread. */
void entity_setup(void);
/* A zero row with the absent values of its kinds. */
void entity_init(const struct entity *e, void *row);
const struct field *entity_field(const struct entity *e, const char *json_name);

/* Column list with a table alias: "i.id, i.company_id, …". Static text per (entity, alias). */
const char *entity_columns(struct arena *a, const struct entity *e, const char *alias);
/* Decode columns [first …] of the current row; returns the next column. */
int entity_decode(const struct entity *e, const struct rows *r, int first, void *row);

/* SELECT <columns> FROM <table> <tail>. one: *row untouched and *found false when nothing matched. */
err_t entity_one(struct db *db, const struct entity *e, void *row, bool *found, const char *tail, const struct dbv *v,
                 int n) MUST_CHECK;
/* Many rows as an array of structs in the arena. */
err_t entity_many(struct db *db, const struct entity *e, void *rows_out, int *count, const char *tail,
                  const struct dbv *v, int n) MUST_CHECK;
/* INSERT of all stored fields. */
err_t entity_insert(struct db *db, const struct entity *e, const void *row) MUST_CHECK;
/* UPDATE of the fields that differ, by the first field (the id). Nothing differs:
 * no statement. Exactly one row must match. Where a row has an owner the
 * compare-and-set UPDATE is written by hand instead. */
err_t entity_update(struct db *db, const struct entity *e, const void *before, const void *after) MUST_CHECK;

enum view { VIEW_FULL, VIEW_LIST, VIEW_COMPACT };
/* The fields as "key":value pairs into an open object. */
void entity_write(struct jw *w, const struct entity *e, const void *row, enum view view);
void entity_write_field(struct jw *w, const struct field *f, const void *row);
/* Set a field from a JSON value of fitting type (the body was validated). */
void entity_set(struct arena *a, const struct field *f, void *row, const json_t *v);
bool entity_same(const struct field *f, const void *a, const void *b);

#endif
