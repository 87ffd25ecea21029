/*
 * run_list: lists and wire forms of runs (AR-69, AR-70). Lists never read the
 * large columns; those stand in heartbeat_run_data.
 */
#ifndef BULLDOG_MODEL_RUN_LIST_H
#define BULLDOG_MODEL_RUN_LIST_H

#include "base/json.h"
#include "store/entity.h"

struct run_filter {
    const char *company_id, *agent_id, *issue_id;
    const char *before_id; /* cursor: runs older than this one */
    bool live_only;        /* queued and running */
    int limit;
};

/* GET …/heartbeat-runs: newest first, into an open array. summary: without usage, sessions, process and result. */
err_t run_list_write(struct db *db, struct jw *w, const struct run_filter *f, bool summary) MUST_CHECK;
/* GET …/live-runs: live ones, filled up to min_count with the most recent others. with_scope: companyId and issueId too. */
err_t run_live_write(struct db *db, struct jw *w, const struct run_filter *f, int min_count,
                     bool with_scope) MUST_CHECK;
/* GET issues/:id/active-run: one object or null. */
err_t run_active_write(struct db *db, struct jw *w, const struct issue *issue) MUST_CHECK;
/* GET issues/:id/runs (IS-136). */
err_t run_issue_write(struct db *db, struct jw *w, const struct issue *issue, int limit) MUST_CHECK;
/* The whole run with its data (AR-69), as an object; detail adds the in-memory fields and outputSilence. */
err_t run_detail_write(struct db *db, struct jw *w, const struct run *run) MUST_CHECK;
/* Issues a run touched: its own and those it logged activity on. */
err_t run_issues_write(struct db *db, struct jw *w, const struct run *run) MUST_CHECK;

#endif
