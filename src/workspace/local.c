/* local: the driver of this machine. */
#include "workspace/driver.h"

#include "base/text.h"
#include "workspace/coherence.h"
#include "workspace/repo.h"
#include "workspace/worktree.h"

#include <sys/stat.h>

static bool is_dir(const char *path)
{
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static struct git git_in(const struct workspace_job *j, const char *dir)
{
    return (struct git){.arena = j->arena, .dir = dir, .abort = j->abort, .log = j->log};
}

static err_t inspect(const struct workspace_job *j, const char *cwd, const char *base_ref, struct tree_facts *facts)
{
    struct git g = git_in(j, cwd);
    struct repo repo;
    *facts = (struct tree_facts){.git = false, .ahead = -1, .behind = -1};
    if (!is_dir(cwd)) return OK;
    TRY(repo_of(&g, &repo));
    if (!repo.found) return OK;
    TRY(git_facts(&g, facts));
    return git_distance(&g, base_ref, facts);
}

static err_t missing(const struct workspace_job *j, const struct finalize_request *q, struct finalize_result *out)
{
    out->reason = "missing_worktree";
    out->message = arena_printf(j->arena, "The workspace directory %s is gone.", q->cwd ? q->cwd : "(none)");
    return OK;
}

/* The worktree may still be there and be no worktree any more. */
static err_t check_worktree(const struct workspace_job *j, const struct finalize_request *q,
                            struct finalize_result *out)
{
    struct git g = git_in(j, q->cwd), root = git_in(j, q->repo_root);
    struct coherence_result c;
    struct repo repo = {.found = false};
    const char *why = "wrong_repository_root";
    if (is_dir(q->repo_root)) TRY(repo_of(&root, &repo));
    if (repo.found) TRY(worktree_flaw(&root, repo.common_dir, q->cwd, &why));
    if (why) {
        out->reason = why;
        out->message = arena_printf(j->arena, "%s is no worktree of %s any more (%s).", q->cwd, q->repo_root, why);
        return OK;
    }
    TRY(git_facts(&g, &out->facts));
    TRY(coherence_restore(&g,
                          &(struct coherence_wish){.recorded = q->expected_branch,
                                                   .registered = true,
                                                   .forward = q->forward,
                                                   .quarantine = q->quarantine,
                                                   .contended = q->contended,
                                                   .identifier = q->issue_identifier,
                                                   .issue_id = q->issue_id,
                                                   .run_id = q->run_id},
                          &out->facts, &c));
    out->repair = c.repair;
    out->branch = c.branch;
    out->evidence = c.evidence;
    if (!c.coherent) {
        out->reason = "git_worktree_branch_incoherence";
        out->message = arena_printf(j->arena, "The worktree %s is on %s, but its record says %s.", q->cwd,
                                    out->facts.branch ? out->facts.branch : "no branch", q->expected_branch);
        return OK;
    }
    TRY(git_distance(&g, q->base_ref, &out->facts));
    out->ok = true;
    return OK;
}

static err_t finalize(const struct workspace_job *j, const struct finalize_request *q, struct finalize_result *out)
{
    *out = (struct finalize_result){
        .branch = q->expected_branch, .facts = {.ahead = -1, .behind = -1}, .repo_root = q->repo_root};
    if (!is_dir(q->cwd)) return missing(j, q, out);
    if (q->worktree) return check_worktree(j, q, out);
    out->ok = true; /* somebody's own checkout: no branch is expected there */
    err_t err = inspect(j, q->cwd, q->base_ref, &out->facts);
    if (err) out->facts = (struct tree_facts){.git = false};
    return OK;
}

const struct workspace_driver LOCAL_DRIVER = {.name = "local",
                                              .prepare = worktree_prepare,
                                              .finalize = finalize,
                                              .cleanup = worktree_cleanup,
                                              .inspect = inspect};

const struct workspace_driver *workspace_driver(const char *name)
{
    return text_is(name, LOCAL_DRIVER.name) ? &LOCAL_DRIVER : NULL;
}
