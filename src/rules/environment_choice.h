/*
 * environment_choice: where a run executes, and whether the workspace it would
 * reuse agrees (WS-48…50, the table of WS §6). Pure. The workspace of another
 * environment is never reused silently: a verdict with conflict makes the caller
 * realise a fresh one and say so (WS-51).
 */
#ifndef BULLDOG_RULES_ENVIRONMENT_CHOICE_H
#define BULLDOG_RULES_ENVIRONMENT_CHOICE_H

#include <stdbool.h>

/* An environment named by somebody: not at all, as null (the default one), or by id. */
struct environment_ref {
    bool present;
    const char *id;
};

struct environment_facts {
    struct environment_ref issue;
    bool issue_inherited;             /* copied from another issue, not asked for here */
    struct environment_ref project;   /* of an enabled policy */
    const char *agent;                /* the agent's default, or NULL */
    const char *fallback;             /* the instance's default */
    struct environment_ref workspace; /* of the workspace about to be reused; absent: none */
};

struct environment_verdict {
    const char *environment_id;
    const char *source; /* issue, project, agent, default, workspace */
    bool conflict;
    /* with a conflict */
    const char *workspace_environment_id, *intended_source;
};
struct environment_verdict environment_choose(const struct environment_facts *f);

#endif
