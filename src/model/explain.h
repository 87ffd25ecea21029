/*
 * explain: collects the facts of issues and of all that is below them, in a
 * fixed number of statements whatever their count, asks rules/explain, and puts
 * the answer into words.
 */
#ifndef BULLDOG_MODEL_EXPLAIN_H
#define BULLDOG_MODEL_EXPLAIN_H

#include "model/blocker_attention.h"
#include "rules/explain.h"

/* What the verdict rests on; strings NULL and times INSTANT_NONE where there is nothing. */
struct explain_evidence {
    const char *run_id, *run_agent_id;
    const char *wake_id, *wake_status, *wake_reason; /* the one on its way */
    const char *last_run_id, *last_error_code, *last_wake_reason;
    const char *skip_id, *skip_reason; /* the latest skipped wake */
    instant_t skip_at;
    int64_t run_count;
    const char *unblock_descriptor;
    const char *holder; /* identifier of the issue whose run has the workspace */
    /* of the named paths that are there: the row, who has the move, what there is to do */
    struct {
        const char *id, *owner_id, *text;
    } named[NAMED_COUNT];
};
/* Issues and all below them, judged. The first `roots` nodes are the issues asked for, in their order. */
struct explained {
    struct blocker_map map; /* who they are: map.refs */
    struct explain_node *nodes;
    struct explain_evidence *evidence;
    struct explain_verdict *verdicts;
    struct agent *agents; /* of the company */
    int agent_count, roots;
};
/* All roots belong to this company. */
err_t explain_load(struct db *db, const char *company_id, const struct issue *const *roots, int count,
                   struct explained *out) MUST_CHECK;

/* One short sentence on node n. */
const char *explain_sentence(struct arena *a, const struct explained *x, int n);
/* The whole answer for node n, as an object. */
void explain_write(struct arena *a, struct jw *w, const struct explained *x, int n);

/* GET …/companies/:id/explain: the company's visible issues grouped by state and
 * reason. state: one of explain_state_name, or NULL for all that are not terminal. */
err_t explain_company_write(struct db *db, struct jw *w, const char *company_id, const char *state, int limit,
                            int offset) MUST_CHECK;
#define EXPLAIN_LIST_MAX 500

#endif
