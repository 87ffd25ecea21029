/*
 * mutants: one guard at a time taken out, to prove that the checks can fail.
 * The linker puts these functions between the rooms (--wrap, tests/meson.build):
 * the product's code stays as it is and knows nothing of it.
 */
#include "sim.h"

#include "model/activity.h"
#include "model/agent.h"
#include "model/claim.h"
#include "model/finalize.h"
#include "model/instance.h"
#include "model/issue_update.h"
#include "model/lock.h"
#include "model/wake.h"
#include "model/wake_context.h"
#include "rules/admission.h"
#include "rules/claim.h"
#include "rules/heartbeat.h"
#include "rules/issue_status.h"

#include <string.h>

const char *mutant;

/* A guard that is a part of a statement: what to look for, and what stands there instead. */
struct mutation {
    const char *name, *help, *find, *put;
};
static const struct mutation mutants[] = {
    {"no-release", "a run's end leaves its locks"},
    {"no-promote", "a run's end leaves what waited for it"},
    {"no-detach", "a lock is taken away from a live run and forgotten"},
    {"no-old-tree-gate", "a run starts while the last one's processes live"},
    {"no-blocker-gate", "a run starts although a blocker is open"},
    {"no-stale-gate", "a run starts although its issue was given away"},
    {"no-paused-gate", "a run of a paused agent starts",
     "WHERE a.status NOT IN ('paused','pending_approval') AND c.status", "WHERE c.status"},
    {"coalesce-running", "a wake with news is swallowed by a running run"},
    {"no-slots", "an agent has more slots than it has"},
    {"no-server-limit", "a server starts more runs than it may"},
    {"no-cas", "a second end of a run writes over the first",
     " AND status = 'running' AND owner_node_id = $6 AND owner_epoch = $7", " AND ($6 IS NULL OR $7 >= 0)"},
    {"no-close", "a run's processes are never said to be gone"},
    {"no-adopt", "runs of a dead server stay its own"},
    {"no-stalled-pass", "nobody looks for work that nothing moves"},
    {"no-blocked-gate", "an issue is blocked by nothing and nobody"},
    {"no-descriptor", "nobody is named to unblock an issue"},
    {"lose-comments", "merging two wakes keeps the last one's comments only"},
    {"reverse-comments", "merging two wakes puts the older comments last"},
    {"lose-wakes", "a change tells nobody"},
    {"no-effects", "a status write leaves the lock columns"},
    {"no-activity", "changes are not recorded"},
    {"key-twice", "a wake's idempotency key is not looked up"},
    {"no-incident-budget", "automatic runs of one chain are not counted", "SELECT max(n) FROM chain",
     "SELECT 0 FROM chain LIMIT 1"},
    {"end-leaves-wake", "a run's end leaves its wake claimed", " AND status IN ('claimed','queued')", " AND 1 = 0"},
    {"cancel-leaves-wake", "a cancel leaves the wake", " AND status IN ('queued','claimed')", " AND 1 = 0"},
    {"claim-leaves-wake", "a claim leaves its wake queued", "SET status = 'claimed', claimed_at", "SET claimed_at"},
    {"no-finished-at", "an ended run does not say when",
     "error_code = $4, finished_at = $5, updated_at = $5 WHERE id = $1 AND status = 'running'",
     "error_code = $4, updated_at = $5 WHERE id = $1 AND status = 'running'"},
    {"keep-detachments", "an ended run's detachments stay", "DELETE FROM issue_run_detachments WHERE run_id = $1",
     "DELETE FROM issue_run_detachments WHERE run_id = $1 AND 1 = 0"},
    {"heal-live", "a live run's lock is taken for a dead one's",
     "WHERE id = $1 AND status IN ('queued','running','scheduled_retry')", "WHERE id = $1 AND status IN ('queued')"},
    {"no-drain", "waiting wakes that nobody will release stay",
     "SELECT DISTINCT w.company_id, w.issue_id FROM agent_wakeup_requests w JOIN agents a ON a.id = w.agent_id WHERE",
     "SELECT DISTINCT w.company_id, w.issue_id FROM agent_wakeup_requests w JOIN agents a ON a.id = w.agent_id WHERE 1 = 0 AND"},
    {"no-due-retries", "retries that are due are not seen", "scheduled_retry_at <= $1", "1 = 0"},
};

int mutant_count(void) { return (int)(sizeof mutants / sizeof *mutants); }
const char *mutant_name(int i) { return mutants[i].name; }
const char *mutant_help(int i) { return mutants[i].help; }

static bool on(const char *name) { return mutant && strcmp(mutant, name) == 0; }

/* WRAP(type, name, (parameters), (arguments)): declares both ends; a body follows. */
#define WRAP(type, name, params) \
    type __real_##name params;   \
    type __wrap_##name params;   \
    type __wrap_##name params

WRAP(err_t, lock_release, (struct db * db, const struct run *run, const char ***ids, int *count))
{
    if (!on("no-release")) return __real_lock_release(db, run, ids, count);
    *ids = NULL;
    *count = 0;
    return OK;
}

WRAP(err_t, lock_promote, (struct db * db, const struct run *ended, const char *const *ids, int count, int *promoted))
{
    if (!on("no-promote")) return __real_lock_promote(db, ended, ids, count, promoted);
    *promoted = 0;
    return OK;
}

WRAP(err_t, lock_detach, (struct db * db, const struct issue *issue))
{
    return on("no-detach") ? OK : __real_lock_detach(db, issue);
}

WRAP(struct claim_verdict, claim_decide, (const struct claim_facts *facts))
{
    struct claim_facts f = *facts;
    if (on("no-old-tree-gate")) f.old_tree_alive = false;
    if (on("no-blocker-gate")) f.dependencies_ready = true;
    if (on("no-stale-gate")) f.agent_is_assignee = true, f.issue_terminal = f.issue_parked = false;
    return __real_claim_decide(&f);
}

WRAP(struct admission_verdict, admission_decide, (const struct admission_facts *facts))
{
    struct admission_facts f = *facts;
    if (on("coalesce-running")) f.active_running = false;
    return __real_admission_decide(&f);
}

WRAP(struct heartbeat_policy, heartbeat_policy, (const char *json))
{
    struct heartbeat_policy p = __real_heartbeat_policy(json);
    if (on("no-slots")) p.max_concurrent_runs = 50;
    return p;
}

WRAP(err_t, run_close, (struct db * db, const char *run_id))
{
    return on("no-close") ? OK : __real_run_close(db, run_id);
}

WRAP(err_t, node_adopt_runs, (struct db * db, const struct node *n, const char *data_dir, int64_t *adopted))
{
    *adopted = 0;
    return on("no-adopt") ? OK : __real_node_adopt_runs(db, n, data_dir, adopted);
}

WRAP(json_t *, wake_context_merge, (const json_t *into, const json_t *incoming))
{
    if (on("reverse-comments")) return __real_wake_context_merge(incoming, into);
    return on("lose-comments") ? json_deep_copy(incoming) : __real_wake_context_merge(into, incoming);
}

WRAP(err_t, wake_batch_flush, (struct db * db, const struct actor *requester, struct wake_batch *b))
{
    if (on("lose-wakes")) b->count = 0;
    return __real_wake_batch_flush(db, requester, b);
}

WRAP(void, issue_apply_effects, (const struct issue *before, struct issue *after, instant_t now))
{
    __real_issue_apply_effects(before, after, now);
    if (!on("no-effects") || before == NULL) return;
    after->checkout_run_id = before->checkout_run_id;
    after->execution_run_id = before->execution_run_id;
}

WRAP(err_t, activity_log, (struct db * db, const struct actor *actor, const struct activity_entry *e))
{
    return on("no-activity") ? OK : __real_activity_log(db, actor, e);
}

WRAP(err_t, agent_invokable, (struct db * db, const struct agent *agent, const char **why))
{
    TRY(__real_agent_invokable(db, agent, why));
    if (on("no-paused-gate") && *why && strcmp(*why, "paused") == 0) *why = NULL;
    return OK;
}

WRAP(err_t, claim_agent,
     (struct db * db, const char *agent_id, struct claim_scope *scope, struct run **started, int *n))
{
    if (on("no-server-limit")) scope->slots_left = 50;
    return __real_claim_agent(db, agent_id, scope, started, n);
}

WRAP(err_t, stalled_pass, (struct engine * e)) { return on("no-stalled-pass") ? OK : __real_stalled_pass(e); }

WRAP(enum status_verdict, status_guard, (const struct status_facts *f))
{
    enum status_verdict v = __real_status_guard(f);
    return on("no-blocked-gate") && v == STATUS_NEEDS_PATH ? STATUS_OK : v;
}

WRAP(err_t, entity_update, (struct db * db, const struct entity *e, const void *before, const void *after))
{
    if (!on("no-descriptor") || e != &ENTITY_issue) return __real_entity_update(db, e, before, after);
    struct issue i = *(const struct issue *)after;
    if (strcmp(i.status, "blocked") == 0) i.unblock_descriptor = NULL;
    return __real_entity_update(db, e, before, &i);
}

/* ---- guards that are SQL ---- */

/* The statement as this mutant has it. The checks' own statements stay. */
static const char *mutated(struct db *db, const char *sql)
{
    if (mutant == NULL || check_own(db)) return sql;
    for (int i = 0; i < mutant_count(); i++) {
        const struct mutation *m = &mutants[i];
        const char *at = m->find && on(m->name) ? strstr(sql, m->find) : NULL;
        if (at) return arena_printf(db_arena(db), "%.*s%s%s", (int)(at - sql), sql, m->put, at + strlen(m->find));
    }
    return sql;
}

WRAP(err_t, db_exec, (struct db * db, int64_t *affected, const char *sql, const struct dbv *v, int n))
{
    return __real_db_exec(db, affected, mutated(db, sql), v, n);
}

WRAP(err_t, db_query, (struct db * db, struct rows *r, const char *sql, const struct dbv *v, int n))
{
    return __real_db_query(db, r, mutated(db, sql), v, n);
}

WRAP(err_t, db_int, (struct db * db, int64_t *out, int64_t dflt, const char *sql, const struct dbv *v, int n))
{
    return __real_db_int(db, out, dflt, mutated(db, sql), v, n);
}

WRAP(err_t, entity_many,
     (struct db * db, const struct entity *e, void *rows, int *count, const char *tail, const struct dbv *v, int n))
{
    return __real_entity_many(db, e, rows, count, mutated(db, tail), v, n);
}

WRAP(err_t, entity_one,
     (struct db * db, const struct entity *e, void *row, bool *found, const char *tail, const struct dbv *v, int n))
{
    if (on("key-twice") && strstr(tail, "idempotency_key = $2")) {
        *found = false;
        return OK;
    }
    return __real_entity_one(db, e, row, found, mutated(db, tail), v, n);
}
