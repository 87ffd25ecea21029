/*
 * interaction: what is asked in an issue's thread, who may answer, and what an
 * answer makes of it (IS-114…122, IS-145). Pure: JSON and plain facts in, a
 * verdict or a result out; an error is a sentence for the asker.
 */
#ifndef BULLDOG_RULES_INTERACTION_H
#define BULLDOG_RULES_INTERACTION_H

#include "base/json.h"

enum interaction_kind {
    INTERACTION_TASKS,
    INTERACTION_QUESTIONS,
    INTERACTION_CONFIRMATION,
    INTERACTION_CHECKBOX,
    INTERACTION_VERDICTS,
    INTERACTION_KINDS
};
const char *interaction_kind_name(enum interaction_kind k);
enum interaction_kind interaction_kind_of(const char *name); /* of a stored or validated name */
/* wake_assignee, but none for a plain confirmation (IS-114). */
const char *interaction_continuation(enum interaction_kind k);

/* ---- the payload ---- */

/* As stored: only what the kind knows, defaults filled in. given: validated by its schema. */
json_t *interaction_payload(enum interaction_kind k, const json_t *given);
/* What no schema can say: adds problems {code:"custom", message, path}, path under "payload". */
void interaction_payload_check(enum interaction_kind k, const json_t *payload, json_t *problems);
/* Does a person's comment overtake it (IS-88)? */
bool interaction_superseded_by_comment(enum interaction_kind k, const json_t *payload);
/* Is a document revision the thing it asks about? Its target object, or NULL. */
json_t *interaction_document_target(const json_t *payload);

/* ---- who may answer (IS-117) ---- */

/* The policy asked for (any spelling, NULL: none) and the company's {defaultPolicy?, cap?} for the kind. */
struct resolver_choice {
    const char *requested, *effective; /* anyone, not_creator, human_only */
    const char *provenance;            /* explicit, inherited */
    const char *source;                /* requested, company_cap */
};
struct resolver_choice resolver_choose(const char *asked, const json_t *governance);
/* The older name of a policy, or NULL. */
const char *resolver_alias(const char *policy);

struct audience {
    const char *agent_id; /* NULL: a person */
    const char *user_id, *run_id;
    const char *policy; /* effective */
    const char *creator_agent_id, *creator_user_id, *source_run_id, *addressee_agent_id;
};
/* NULL: may answer; else the code of the refusal. */
const char *interaction_audience(const struct audience *f);

/* ---- its state ---- */

/* NULL: it can still be answered; else the code, and a sentence (IS-118). */
const char *interaction_state_refusal(const char *status, const json_t *result, bool issue_closed,
                                      const char **sentence);
/* What is left of it when nobody answered: superseded_by_comment, issue_closed …;
 * extra: object merged into the result (commentId …), or NULL. */
json_t *interaction_expiry(enum interaction_kind k, const json_t *result, const char *outcome, const json_t *extra);

/* ---- answers ---- */

struct interaction_answer {
    const char *status; /* accepted, rejected, answered, cancelled; pending when verdicts are missing */
    json_t *result;
    const char *error;      /* 422: nothing else is set */
    json_t *tasks;          /* accepted suggestions, parents first (borrowed objects) */
    json_t *skipped;        /* clientKeys left out */
    json_t *newly_resolved; /* ids of items decided by this answer */
    int answered;           /* questions */
};
struct interaction_answer interaction_accept(struct arena *a, enum interaction_kind k, const json_t *payload,
                                             const json_t *body);
struct interaction_answer interaction_reject(struct arena *a, enum interaction_kind k, const json_t *payload,
                                             const char *reason);
struct interaction_answer interaction_respond(struct arena *a, const json_t *payload, const json_t *body);
struct interaction_verdict_by {
    const char *agent_id, *user_id, *run_id, *at;
};
struct interaction_answer interaction_decide(struct arena *a, const json_t *payload, const json_t *result,
                                             const json_t *verdicts, const struct interaction_verdict_by *by);
/* Taken back by who asked (outcome withdrawn), or dropped by the board (questions only). */
struct interaction_answer interaction_withdraw(enum interaction_kind k, const json_t *result, const char *reason);
struct interaction_answer interaction_cancel(enum interaction_kind k, const char *reason);

/* ---- the workspace of the run that asked (IS-119, EX-84) ---- */

struct finalize_facts {
    bool has_operations; /* of the asking run on the issue's workspace */
    const char *status;  /* of its latest workspace_finalize, NULL: none */
    bool run_live;
};
bool finalize_settled(const struct finalize_facts *f);

#endif
