/*
 * graph_liveness: stalled ends of chains of blockers and reviews that nobody
 * does (EX-111, EX-112). Finding is always possible; filing an issue about a
 * finding happens only while the instance's switch is on.
 */
#ifndef BULLDOG_MODEL_GRAPH_LIVENESS_H
#define BULLDOG_MODEL_GRAPH_LIVENESS_H

#include "base/json.h"
#include "model/blocker_attention.h"
#include "rules/graph_liveness.h"

#define GRAPH_PREVIEW_MAX 200 /* items shown */
#define GRAPH_LOOK_MAX 2000   /* findings counted per company */
#define GRAPH_ORIGIN "harness_liveness_escalation"

struct graph_incident {
    const char *company_id;
    struct issue source;
    enum graph_finding finding;
    const char *leaf_id, *incident_key, *leaf_key;
    const char *leaf_agent_id;                    /* the stalled assignee, or NULL */
    struct issue_ref path[BLOCKER_DEPTH_MAX + 2]; /* source … leaf */
    int path_length;
    instant_t changed_at; /* the latest change on the path */
};
/* One page of the company's incidents, by the source's id; after: the last one looked at, or NULL.
 * *last: where this page ended, NULL at the end of the list. */
err_t graph_incidents(struct db *db, const char *company_id, const char *after, struct graph_incident **out, int *count,
                      const char **last) MUST_CHECK;

/* The incident of one issue as it is now. */
err_t graph_incident_of(struct db *db, const struct issue *source, struct graph_incident *out, bool *found) MUST_CHECK;

enum graph_step {
    GRAPH_NOTHING,
    GRAPH_CREATED,
    GRAPH_EXISTS,
    GRAPH_TOO_OLD,
    GRAPH_COOLING,
    GRAPH_NO_OWNER,
    GRAPH_STEPS
};
/* Looks at the source again in the caller's transaction and files an issue, unless
 * the path was quiet since `cutoff`, one is open, or one was closed an hour ago. */
err_t graph_escalate(struct db *db, const char *source_id, instant_t cutoff, enum graph_step *step) MUST_CHECK;

/* Open issues filed about incidents that are gone; only ids of the company. */
err_t graph_open_escalations(struct db *db, const char *company_id, const char ***ids, int *count) MUST_CHECK;
/* Cancels it when its incident is no more and nobody works on it; *cancelled. */
err_t graph_retire(struct db *db, const char *escalation_id, bool *cancelled) MUST_CHECK;

/* {lookbackHours, cutoff, generatedAt, findings, recoverableFindings, skippedOutsideLookback, items} */
err_t graph_preview_write(struct db *db, struct jw *w, int64_t lookback_hours) MUST_CHECK;
/* Files and retires in all companies at once, and says what was done. */
err_t graph_run_write(struct db *db, struct jw *w, int64_t lookback_hours, bool enabled) MUST_CHECK;
/* Companies that are looked at. */
err_t graph_companies(struct db *db, const char ***ids, int *count) MUST_CHECK;

#endif
