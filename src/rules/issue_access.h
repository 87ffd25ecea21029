/*
 * issue_access: may this actor write this issue? (IS §1 "Authorisation classes",
 * EX-17.) Pure. The board may always; the rules below are for agents.
 */
#ifndef BULLDOG_RULES_ISSUE_ACCESS_H
#define BULLDOG_RULES_ISSUE_ACCESS_H

#include <stdbool.h>

/* MUTATE: the issue's own things (delete, release, documents). OPEN: the PATCH
 * channel, where every agent may write other agents' idle issues. */
enum access_class { ACCESS_MUTATE, ACCESS_OPEN };

enum access {
    ACCESS_ALLOWED,
    ACCESS_CHECKOUT,  /* own work in progress: the acting run must own the checkout (IS-62) */
    ACCESS_NO_RUN,    /* own work in progress, but the request names no run: 401 */
    ACCESS_RUN_LOCK,  /* another agent is at work on it: 409 */
    ACCESS_NOT_OWNER, /* another agent's idle issue: 403 */
};

struct access_facts {
    bool board;
    bool has_run;     /* the request names a run */
    bool agent_owned; /* an agent is assigned */
    bool own;         /* … and it is the actor */
    bool in_progress;
    bool manages; /* tasks:manage_active_checkouts over the assignee */
};

enum access access_decide(enum access_class c, const struct access_facts *f);
/* Why an allowed write or comment was allowed: allow_board, allow_self,
 * allow_visible_issue_write. */
const char *access_reason(const struct access_facts *f);

/* The four parts of a refusal (IS-11): agents often see only the sentence. */
struct access_denial {
    const char *code, *title, *boundary, *who_can_act, *sanctioned_path;
};
/* For ACCESS_RUN_LOCK and ACCESS_NOT_OWNER. */
const struct access_denial *access_denial(enum access a);

#endif
