/*
 * stages: the review and approval stages of issues, applied to rows (EX-135…138,
 * IS-94…97). issue_update asks here what a change means for the stage that is
 * pending or that it starts; the judgement is rules/stage.
 */
#ifndef BULLDOG_MODEL_STAGES_H
#define BULLDOG_MODEL_STAGES_H

#include "base/json.h"
#include "model/actor.h"
#include "model/comment.h"
#include "rules/stage.h"
#include "store/entity.h"

struct stage_request {
    const struct actor *actor;
    const struct author *author;
    const struct issue *before;
    bool status_sent, tree_control;
    const char *comment; /* body, or NULL */
    bool request_sent;
    const json_t *request; /* reviewRequest */
    int blockers_open;
};
struct stage_step {
    struct stage_outcome out;
    const char *decision_id;
};
/* Puts status, assignee and executionState of *after right; after holds what was asked
 * for, its policy included. 422 when the change is not the actor's to make. */
err_t stages_apply(struct db *db, const struct stage_request *q, struct issue *after,
                   struct stage_step *out) MUST_CHECK;
/* The row of a decision, if one was made. */
err_t stages_record(struct db *db, const struct stage_request *q, const struct issue *issue,
                    const struct stage_step *s) MUST_CHECK;
/* issue.reviewers_updated, issue.approvers_updated when the policy names others than before. */
err_t stages_log_policy(struct db *db, const struct actor *actor, const struct issue *before,
                        const struct issue *after) MUST_CHECK;

/* A policy as a client sent it, as it is kept: NULL when nothing is left. 422 when it names somebody unknown. */
err_t stages_policy(struct db *db, const char *company_id, const json_t *sent, json_t **out) MUST_CHECK;

/* The agent can never act again: the stages that wait for it go to another participant, else to a person. */
err_t stages_agent_gone(struct db *db, const struct actor *actor, const char *agent_id) MUST_CHECK;
/* Wakes the agent that a pending stage waits for once more. */
err_t stages_wake_again(struct db *db, const struct actor *actor, const struct issue *issue) MUST_CHECK;

#endif
