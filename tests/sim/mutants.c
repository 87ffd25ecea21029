/*
 * mutants: one guard at a time taken out, to prove that the checks can fail.
 * The linker puts these functions between the rooms (--wrap, tests/meson.build):
 * the product's code stays as it is and knows nothing of it.
 */
#include "sim.h"

#include "model/activity.h"
#include "model/finalize.h"
#include "model/instance.h"
#include "model/issue_update.h"
#include "model/lock.h"
#include "model/wake.h"
#include "model/wake_context.h"
#include "rules/admission.h"
#include "rules/claim.h"
#include "rules/heartbeat.h"

#include <string.h>

const char *mutant;

static const char *const mutants[][2] = {
    {"no-release", "a run's end leaves its locks"},
    {"no-promote", "a run's end leaves what waited for it"},
    {"no-detach", "a lock is taken away from a live run and forgotten"},
    {"no-old-tree-gate", "a run starts while the last one's processes live"},
    {"no-blocker-gate", "a run starts although a blocker is open"},
    {"no-stale-gate", "a run starts although its issue was given away"},
    {"coalesce-running", "a wake with news is swallowed by a running run"},
    {"no-slots", "an agent has more slots than it has"},
    {"no-cas", "a second end of a run writes over the first"},
    {"no-close", "a run's processes are never said to be gone"},
    {"no-adopt", "runs of a dead server stay its own"},
    {"lose-comments", "merging two wakes keeps the last one's comments only"},
    {"lose-wakes", "a change tells nobody"},
    {"no-effects", "a status write leaves the lock columns"},
    {"no-activity", "changes are not recorded"},
    {"key-twice", "a wake's idempotency key is not looked up"},
};

int mutant_count(void) { return (int)(sizeof mutants / sizeof *mutants); }
const char *mutant_name(int i) { return mutants[i][0]; }
const char *mutant_help(int i) { return mutants[i][1]; }

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

/* The compare of a run's end, and the look for a key: guards that are SQL. */
WRAP(err_t, db_exec, (struct db * db, int64_t *affected, const char *sql, const struct dbv *v, int n))
{
    const char *guard = on("no-cas") ? strstr(sql, " AND status = 'running' AND owner_node_id = $6") : NULL;
    if (guard) sql = arena_printf(db_arena(db), "%.*s AND ($6 IS NULL OR $7 >= 0)", (int)(guard - sql), sql);
    return __real_db_exec(db, affected, sql, v, n);
}

WRAP(err_t, entity_one,
     (struct db * db, const struct entity *e, void *row, bool *found, const char *tail, const struct dbv *v, int n))
{
    if (on("key-twice") && strstr(tail, "idempotency_key = $2")) {
        *found = false;
        return OK;
    }
    return __real_entity_one(db, e, row, found, tail, v, n);
}
