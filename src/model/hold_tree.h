/*
 * hold_tree: the board's control over an issue and all below it (EX-130…133,
 * IS-126…128). A plan says what a mode would do to each of them and is what the
 * preview shows; hold_create carries it out and keeps it as a snapshot.
 */
#ifndef BULLDOG_MODEL_HOLD_TREE_H
#define BULLDOG_MODEL_HOLD_TREE_H

#include "base/json.h"
#include "model/actor.h"
#include "rules/tree_hold.h"
#include "store/entity.h"

#define TREE_ISSUES_MAX 5000

struct tree_member {
    struct issue row;
    int64_t depth;
    struct run *run;         /* its live run, a running one before a waiting one; NULL: none */
    json_t *hold_ids;        /* of the active pauses on it or above */
    const char *skip_reason; /* NULL: affected */
    const char *snapshot_status, *snapshot_descriptor, *snapshot_state; /* restore: as the cancel found it */
};

struct tree_place { /* members by id */
    const char *id;
    int member;
};
struct tree_plan {
    enum tree_mode mode;
    const char *release_policy;  /* JSON text */
    struct tree_member *members; /* the root first, parents before children */
    int count;
    struct tree_place *places;
    struct run *runs; /* all live ones of the tree */
    int run_count;
    struct tree_hold *inside; /* active holds with their root in the tree */
    int inside_count;
};
err_t tree_plan(struct db *db, const struct issue *root, enum tree_mode mode, const char *release_policy,
                struct tree_plan *out) MUST_CHECK;
/* Does this pause let running runs come to their end (EX-131 BETTER)? */
bool tree_plan_lets_finish(const struct tree_plan *p);
/* The member with this id, or NULL. */
struct tree_member *tree_plan_member(const struct tree_plan *p, const char *issue_id);

struct hold_request {
    const char *reason;
    json_t *metadata; /* object or NULL; wakeAgents: a restore wakes the assignees */
};
struct hold_done {
    struct tree_hold hold;
    json_t *resumed; /* ids of the pauses a resume lifted; NULL for other modes */
};
err_t hold_create(struct db *db, const struct actor *actor, const struct issue *root, const struct tree_plan *p,
                  const struct hold_request *q, struct hold_done *out) MUST_CHECK;
/* 409 when it was released already. release_policy NULL: unchanged. */
struct hold_release_request {
    const char *reason, *release_policy, *metadata;
};
err_t hold_release(struct db *db, const struct actor *actor, const struct issue *root, struct tree_hold *hold,
                   const struct hold_release_request *q) MUST_CHECK;

err_t hold_get(struct db *db, const char *root_issue_id, const char *id, struct tree_hold *out, bool *found) MUST_CHECK;
struct hold_filter {
    const char *status, *mode; /* NULL: all */
    bool members;
};
/* An array, newest first. */
err_t holds_write(struct db *db, struct jw *w, const char *root_issue_id, const struct hold_filter *f) MUST_CHECK;
/* One hold with its members. */
err_t hold_write(struct db *db, struct jw *w, const struct tree_hold *hold) MUST_CHECK;
void tree_plan_write(struct db *db, struct jw *w, const struct issue *root, const struct tree_plan *p);
/* issue.tree_control_previewed */
err_t tree_plan_record(struct db *db, const struct actor *actor, const struct issue *root,
                       const struct tree_plan *p) MUST_CHECK;

#endif
