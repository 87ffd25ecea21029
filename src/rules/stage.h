/*
 * stage: the machine of review and approval stages (EX-136, EX-137, IS-96). A
 * change of an issue goes in, with what is stored; out comes what becomes of the
 * status, the assignee and the executionState, whether somebody decided, and who
 * is to be woken. Pure.
 */
#ifndef BULLDOG_RULES_STAGE_H
#define BULLDOG_RULES_STAGE_H

#include "rules/execution_policy.h"

enum stage_verdict {
    STAGE_OK,
    STAGE_NOBODY,         /* 422: no eligible participant */
    STAGE_NEEDS_COMMENT,  /* 422: a decision says why */
    STAGE_NOT_YOURS,      /* 422: only its participant may advance it */
    STAGE_NOT_THE_PERSON, /* 422: it was handed to a person, who alone may */
    STAGE_NO_REQUEST,     /* 422: a review request without a stage */
};

struct stage_facts {
    const struct execution_policy *policy; /* after the change */
    const json_t *state;                   /* stored */
    const char *from, *to;                 /* status stored, and asked for */
    bool status_sent;
    struct principal assignee, asked; /* stored, and asked for */
    bool assignee_sent;
    struct principal actor;
    bool board;    /* a person of the board, who may override */
    bool override; /* a hold moves the whole tree */
    bool has_comment, comment_approves;
    int blockers_open;
    bool request_sent;
    const json_t *request;   /* reviewRequest: an object or null */
    struct principal person; /* who decides when agents do not come to an end */
    const char *decision_id; /* of the decision, should one be made */
};

enum stage_wake { STAGE_WAKE_NONE, STAGE_WAKE_PARTICIPANT, STAGE_WAKE_EXECUTOR };

struct stage_outcome {
    enum stage_verdict verdict;
    const struct stage *stage; /* it is about: the current one, or the one that could not start */
    const char *status;
    struct principal assignee;
    json_t *state;               /* NULL: none. The stored one, or a new one */
    const char *decision;        /* approved, changes_requested, or NULL */
    const struct stage *decided; /* the stage of the decision */
    bool escalated;              /* … after which a person has it */
    enum stage_wake wake;
};
void stage_decide(const struct stage_facts *f, struct stage_outcome *out);

/* A pending stage whose participant is gone for good: the state with somebody else, or with the person. */
json_t *stage_move_on(const struct execution_policy *p, const json_t *state, struct principal person,
                      struct principal *participant);

bool stage_pending(const json_t *state);
/* IS-87: a heading "## Review: … APPROVED", or the lines kind: review, decision: approved. */
bool stage_comment_approves(const char *body);
/* What the woken one is told: {wakeRole, stageId, stageType, …, allowedActions} (EX-138). */
json_t *stage_context(const json_t *state, bool executor);
/* execution_review_requested, execution_approval_requested, execution_changes_requested */
const char *stage_wake_reason(const json_t *state, bool executor);

#endif
