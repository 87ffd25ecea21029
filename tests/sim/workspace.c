/*
 * workspace: a driver of workspaces that only says what it did, and the job pool
 * that asks it. The engine's own code around them is real: plans, rows, retries,
 * the finalize before a run's end. Jobs take their time, fail, find the queue
 * full, and are lost with the server.
 */
#include "sim.h"

#include "engine/workspace.h"
#include "workspace/driver.h"
#include "workspace/op_log.h"

#include <stdlib.h>
#include <string.h>

/* ---- the driver ---- */

static const char sha[] = "1111111111111111111111111111111111111111";

static struct tree_facts facts_of(const char *branch)
{
    return (struct tree_facts){
        .git = true, .head_sha = sha, .base_sha = sha, .branch = branch, .ahead = 0, .behind = 0};
}

static err_t prepare(const struct workspace_job *j, const struct prepare_request *q, struct prepare_result *out)
{
    *out = (struct prepare_result){.git = q->worktree,
                                   .created = q->reuse_dir == NULL,
                                   .reused = q->reuse_dir != NULL,
                                   .branch = q->branch,
                                   .base_ref = q->base_ref,
                                   .base_sha = sha,
                                   .repo_root = q->base_cwd,
                                   .facts = facts_of(q->branch)};
    out->cwd = q->reuse_dir ? q->reuse_dir
               : q->worktree && q->branch
                   ? arena_printf(j->arena, "%s/%s", q->parent_dir ? q->parent_dir : "/sim", q->branch)
                   : q->base_cwd;
    if (!sim.calm && chance(4)) return err_new(j->arena, ERR_UNAVAILABLE, "git did not answer");
    if (!sim.calm && chance(4)) {
        out->reason = "git_worktree_branch_incoherence";
        out->message = "the branch is elsewhere";
    }
    return OK;
}

static err_t finalize(const struct workspace_job *j, const struct finalize_request *q, struct finalize_result *out)
{
    *out = (struct finalize_result){
        .ok = true, .facts = facts_of(q->expected_branch), .branch = q->expected_branch, .repo_root = q->repo_root};
    if (!sim.calm && chance(4)) return err_new(j->arena, ERR_UNAVAILABLE, "git did not answer");
    if (!sim.calm && chance(6)) {
        out->ok = false;
        out->reason = "git_worktree_branch_incoherence";
        out->message = "the branch is elsewhere";
    }
    return OK;
}

static err_t cleanup(const struct workspace_job *j, const struct cleanup_request *q, struct cleanup_result *out)
{
    (void)j;
    *out = (struct cleanup_result){.cleaned = sim.calm || !chance(10), .facts = facts_of(q->branch)};
    return OK;
}

static err_t inspect(const struct workspace_job *j, const char *cwd, const char *base_ref, struct tree_facts *facts)
{
    (void)j;
    (void)cwd;
    (void)base_ref;
    *facts = facts_of(NULL);
    return OK;
}

const struct workspace_driver LOCAL_DRIVER = {
    .name = "local", .prepare = prepare, .finalize = finalize, .cleanup = cleanup, .inspect = inspect};

const struct workspace_driver *workspace_driver(const char *name)
{
    return strcmp(name, "local") == 0 ? &LOCAL_DRIVER : NULL;
}

/* Nothing is written beside the rows. */
void op_log_open(struct op_log *l, struct arena *a, const char *root, const char *company_id, const char *operation_id)
{
    (void)root;
    *l = (struct op_log){.arena = a, .fd = -1, .ref = arena_printf(a, "%s/%s.ndjson", company_id, operation_id)};
}

void op_log_write(struct op_log *l, const char *stream, const char *text)
{
    (void)stream;
    l->bytes += (int64_t)strlen(text);
}

void op_log_close(struct op_log *l) { l->bytes += 0; }

const char *op_log_excerpt(struct op_log *l, const struct buf *b)
{
    (void)l;
    (void)b;
    return "";
}

/* ---- the jobs ---- */

struct job {
    void (*fn)(void *arg);
    void *arg;
    instant_t at;
};
static struct job jobs[PROCS_MAX];
static int job_count;

bool jobs_submit(struct jobs *j, void (*fn)(void *arg), void *arg)
{
    (void)j;
    if (job_count == PROCS_MAX || (!sim.calm && chance(4))) return false; /* the queue is full */
    jobs[job_count++] = (struct job){fn, arg, sim.now + below(!sim.calm && chance(5) ? 10 * MINUTE_MS : 5 * SECOND_MS)};
    return true;
}

instant_t jobs_due(void)
{
    instant_t due = INSTANT_NONE;
    for (int i = 0; i < job_count; i++) due = earliest(due, jobs[i].at);
    return due;
}

bool jobs_act(void)
{
    for (int i = 0; i < job_count; i++) {
        struct job job = jobs[i];
        if (job.at > sim.now) continue;
        jobs[i] = jobs[--job_count];
        job.fn(job.arg);
        if (!sim.dead) check_always("a job's result");
        return true;
    }
    return false;
}

void jobs_drop_all(void) { job_count = 0; } /* what they hold goes with the process of this seed */

/* ---- their mail to the engine ---- */

struct engine_mail *engine_mail_new(void (*fn)(struct engine *e, struct engine_mail *m))
{
    struct engine_mail *m = calloc(1, sizeof *m);
    if (m == NULL) abort();
    m->fn = fn;
    return m;
}

void engine_mail_send(struct engine *e, struct engine_mail *m)
{
    engine_unit(e);
    m->fn(e, m);
    arena_free(&m->arena);
    free(m);
}
