/*
 * worktree: from a base directory to a worktree that is ready to work in, in
 * the order of WS-61. What exists is probed, never guessed from error texts.
 * Whatever takes git's own locks runs under the repository's lock (WS-106).
 */
#include "workspace/worktree.h"

#include "base/text.h"
#include "workspace/coherence.h"
#include "workspace/provision.h"
#include "workspace/repo.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKTREES ".paperclip/worktrees"
#define WAIT_MS 100
#define FLAW_TRIES 10
#define INDEX_TRIES 100

struct prepare {
    const struct prepare_request *q;
    struct prepare_result *out;
    struct arena *a;
    struct git base; /* commands in the repository's root */
    struct repo repo;
    const char *path;
    bool branch_exists;
};

static struct git git_in(const struct workspace_job *j, const char *dir)
{
    return (struct git){.arena = j->arena, .dir = dir, .abort = j->abort, .log = j->log};
}

static struct git git_at(const struct prepare *p, const char *dir)
{
    struct git g = p->base;
    g.dir = dir;
    return g;
}

static err_t fail(struct prepare_result *out, const char *reason, const char *message)
{
    out->reason = reason;
    out->message = message;
    return OK;
}

static void warn(struct prepare_result *out, const char *text)
{
    json_array_append_new(out->warnings, json_string(text));
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- the place ---- */

/* Our folder is no untracked file of the checkout (WS-58 BETTER). */
static void exclude_ours(struct prepare *p)
{
    const char *file = arena_printf(p->a, "%s/info/exclude", p->repo.common_dir);
    char line[512];
    FILE *f = fopen(file, "re");
    bool there = false;
    while (f && !there && fgets(line, sizeof line, f)) there = strncmp(line, ".paperclip/", 11) == 0;
    if (f) fclose(f);
    if (there) return;
    mkdir(arena_printf(p->a, "%s/info", p->repo.common_dir), 0755);
    f = fopen(file, "ae");
    if (f == NULL) return;
    fputs("\n.paperclip/\n", f);
    fclose(f);
}

static const char *parent_of(struct prepare *p)
{
    const char *dir = p->q->parent_dir, *home = getenv("HOME");
    if (dir == NULL) return arena_printf(p->a, "%s/" WORKTREES, p->repo.root);
    if (dir[0] == '~' && (dir[1] == '/' || dir[1] == 0) && home) return arena_printf(p->a, "%s%s", home, dir + 1);
    return *dir == '/' ? dir : arena_printf(p->a, "%s/%s", p->repo.root, dir);
}

static err_t choose_path(struct prepare *p)
{
    if (p->q->reuse_dir) {
        p->path = p->q->reuse_dir;
        return OK;
    }
    const char *parent = parent_of(p);
    p->path = arena_printf(p->a, "%s/%s", parent, p->q->branch);
    const char *slash = strrchr(p->path, '/');
    err_t err = make_directories(p->a, arena_strndup(p->a, p->path, (size_t)(slash - p->path)));
    if (err == OK && access(parent, W_OK) != 0) err = err_new(p->a, ERR_UNAVAILABLE, "%s is not writable", parent);
    if (err) return fail(p->out, "git_worktree_parent_unwritable", err->message);
    if (p->q->parent_dir == NULL) exclude_ours(p);
    return OK;
}

/* ---- what is there ---- */

err_t worktree_flaw(const struct git *g, const char *common_dir, const char *path, const char **why)
{
    struct git_output o;
    struct git there = *g;
    const char *dot = arena_printf(g->arena, "%s/.git", path);
    struct stat st;
    *why = NULL;
    there.dir = path;
    if (!is_dir(path)) *why = "missing_worktree";
    else if (stat(dot, &st) != 0) *why = "not_a_git_checkout";
    else if (!S_ISREG(st.st_mode)) *why = "not_registered"; /* a repository of its own */
    if (*why) return OK;
    TRY(git_run(&there, &o, "rev-parse", "--path-format=absolute", "--git-common-dir"));
    if (o.code != 0) {
        *why = "not_registered";
        return OK;
    }
    const char *theirs = realpath(git_line(g->arena, &o), NULL), *ours = realpath(common_dir, NULL);
    if (!text_is(theirs, ours)) *why = "wrong_repository_root";
    free((void *)(uintptr_t)theirs);
    free((void *)(uintptr_t)ours);
    return OK;
}

/* Which worktree has the branch? NULL: none. Only asked when the branch exists. */
static err_t holder_of(struct prepare *p, const char **path, bool *gone)
{
    struct git_output o;
    const char *current = NULL, *want = arena_printf(p->a, "branch refs/heads/%s", p->q->branch);
    *path = NULL;
    TRY(git_ok(&p->base, &o, "worktree", "list", "--porcelain", "-z"));
    for (const char *s = o.out, *end = o.out + o.len; s < end; s += strlen(s) + 1) {
        if (strncmp(s, "worktree ", 9) == 0) current = s + 9;
        else if (text_is(s, want)) *path = current;
    }
    *gone = *path && !is_dir(*path);
    return OK;
}

static err_t unusable(struct prepare *p, const char *what, const char *path, const char *why)
{
    p->out->evidence = json_pack("{s:s, s:s}", "worktreePath", path, "flaw", why);
    return fail(p->out, "git_worktree_not_reusable",
                arena_printf(p->a, "%s \"%s\" %s (%s).", what, path,
                             strncmp(what, "Conf", 4) == 0 ? "already exists and is not a reusable git worktree"
                                                           : "is not reusable",
                             why));
}

/* ---- making it ---- */

static err_t write_base(struct prepare *p)
{
    struct base base;
    const char *configured = p->q->base_ref ? p->q->base_ref : p->q->repo_ref;
    if (p->q->start_at) { /* the work of a workspace that could not be reused (WS-51) */
        TRY(git_commit_of(&p->base, p->q->start_at, &p->out->base_sha));
        p->out->base_ref = p->q->start_at;
        if (p->out->base_sha) return OK;
    }
    TRY(base_resolve(&p->base, &p->repo, configured, p->out->warnings, &base));
    p->out->base_ref = base.ref;
    p->out->base_sha = base.sha;
    if (base.sha) return OK;
    p->out->evidence = json_pack("{s:s}", "baseRef", base.ref);
    return fail(
        p->out, "git_worktree_base_ref_missing",
        text_is(base.ref, "HEAD")
            ? arena_printf(p->a, "The repository %s has no commit yet: make a first one, then run the issue again.",
                           p->repo.root)
            : arena_printf(
                  p->a,
                  "The base ref \"%s\" does not exist in %s: correct the project's base ref or create the branch.",
                  base.ref, p->repo.root));
}

static err_t failed_command(struct prepare *p, const struct git_output *o)
{
    p->out->exit_code = o->code;
    const char *said = *o->err        ? o->err
                       : o->timed_out ? "it took too long"
                       : o->aborted   ? "it was cancelled"
                                      : "no reason given";
    return err_with(p->a, ERR_UNPROCESSABLE, "setup_failed", NULL, "%s failed: %.*s", p->out->command,
                    (int)strcspn(said, "\n"), said);
}

static err_t add_branch(struct prepare *p)
{
    struct git_output o;
    TRY(write_base(p));
    if (p->out->reason) return OK;
    p->out->command = git_show(p->a, "worktree", "add", "-b", p->q->branch, p->path, p->out->base_ref);
    TRY(git_run(&p->base, &o, "worktree", "add", "--no-track", "-b", p->q->branch, p->path, p->out->base_sha));
    if (o.code != 0) return failed_command(p, &o);
    p->out->created = p->q->reuse_dir == NULL;
    p->out->restored = !p->out->created;
    p->out->facts = (struct tree_facts){
        .git = true, .head_sha = p->out->base_sha, .branch = p->q->branch, .base_sha = p->out->base_sha};
    return OK;
}

static err_t add_existing(struct prepare *p)
{
    struct git_output o;
    p->out->command = git_show(p->a, "worktree", "add", p->path, p->q->branch);
    TRY(git_run(&p->base, &o, "worktree", "add", p->path, p->q->branch));
    if (o.code != 0) return failed_command(p, &o);
    p->out->reused_branch = true;
    p->out->restored = p->q->reuse_dir != NULL;
    return OK;
}

/* The git of a server that was killed may still be at work there: it is given time to finish. */
static err_t settled_flaw(struct prepare *p, const char *path, const char **why)
{
    for (int tries = 0;; tries++) {
        TRY(worktree_flaw(&p->base, p->repo.common_dir, path, why));
        if (*why == NULL || tries == FLAW_TRIES || (p->base.abort && atomic_load(p->base.abort))) return OK;
        poll(NULL, 0, WAIT_MS);
    }
}

/* Its checkout was never finished: there is no index, so nobody worked there yet. */
static err_t finish_checkout(struct prepare *p, const char *path)
{
    struct git g = git_at(p, path);
    const char *dir = git_dir_of(p->a, path), *index = arena_printf(p->a, "%s/index", dir);
    for (int tries = 0; tries < INDEX_TRIES && access(index, F_OK) != 0; tries++) poll(NULL, 0, WAIT_MS);
    if (access(index, F_OK) == 0) return OK;
    unlink(arena_printf(p->a, "%s/index.lock", dir));
    return git_ok(&g, NULL, "reset", "--quiet", "--hard");
}

static err_t take(struct prepare *p, const char *what, const char *path)
{
    const char *why;
    TRY(settled_flaw(p, path, &why));
    if (why) return unusable(p, what, path, why);
    TRY(finish_checkout(p, path));
    p->path = path;
    p->out->reused = true;
    return OK;
}

/* WS-61, WS-65; under the repository's lock. */
static err_t make(struct prepare *p)
{
    struct git_output o;
    const char *sha, *holder;
    bool gone;
    if (is_dir(p->path) && rmdir(p->path) != 0) return take(p, "Configured worktree path", p->path);
    TRY(git_commit_of(&p->base, arena_printf(p->a, "refs/heads/%s", p->q->branch), &sha));
    p->branch_exists = sha != NULL;
    if (!p->branch_exists) {
        if (p->q->reuse_dir) TRY(git_run(&p->base, &o, "worktree", "prune"));
        return add_branch(p);
    }
    TRY(holder_of(p, &holder, &gone));
    if (gone) TRY(git_run(&p->base, &o, "worktree", "prune"));
    if (holder && !gone) return take(p, "Registered worktree for the branch at", holder);
    return add_existing(p);
}

/* ---- what was there already ---- */

/* WS-64: a worktree in which nothing happened yet follows its base. */
static err_t refresh(struct prepare *p, const struct git *g, const struct base *base)
{
    struct tree_facts *t = &p->out->facts;
    TRY(git_distance(g, base->sha, t));
    bool untouched = t->dirty == 0 && t->untracked == 0 && t->interrupted == NULL && t->ahead == 0;
    if (base->remote && untouched && t->behind > 0) {
        TRY(git_ok(g, NULL, "reset", "--quiet", "--hard", base->sha));
        p->out->refreshed = true;
        t->head_sha = base->sha;
        t->behind = 0;
    } else if (t->behind > 0) {
        warn(p->out,
             arena_printf(p->a, "The branch %s is behind %s by %ld commit(s).", t->branch, base->ref, (long)t->behind));
    }
    return OK;
}

static err_t inspect_reused(struct prepare *p)
{
    struct prepare_result *out = p->out;
    struct git g = git_at(p, p->path);
    struct coherence_result c;
    struct base base;
    TRY(git_facts(&g, &out->facts));
    TRY(coherence_restore(&g,
                          &(struct coherence_wish){.recorded = p->q->branch,
                                                   .registered = true,
                                                   .forward = p->q->forward,
                                                   .quarantine = p->q->quarantine,
                                                   .contended = p->q->contended,
                                                   .identifier = p->q->issue_identifier,
                                                   .issue_id = p->q->issue_id,
                                                   .run_id = p->q->run_id},
                          &out->facts, &c));
    out->repair = c.repair;
    out->branch = c.branch;
    if (!c.coherent) {
        out->evidence = c.evidence;
        return fail(out, "git_worktree_branch_incoherence",
                    arena_printf(p->a, "The worktree %s is on %s, but its record says %s.", p->path,
                                 out->facts.branch ? out->facts.branch : "no branch", p->q->branch));
    }
    if (out->base_sha) return OK;
    TRY(base_resolve(&p->base, &p->repo, p->q->base_ref ? p->q->base_ref : p->q->repo_ref, out->warnings, &base));
    out->base_ref = base.ref;
    out->base_sha = base.sha;
    return base.sha ? refresh(p, &g, &base) : OK;
}

/* ---- all of it ---- */

static err_t plain(struct prepare *p, bool git)
{
    struct git g = git_at(p, p->q->base_cwd);
    p->out->cwd = p->q->base_cwd;
    p->out->reused = true;
    if (!git) return OK;
    p->out->repo_root = p->repo.root;
    err_t err = git_facts(&g, &p->out->facts);
    if (err) p->out->facts = (struct tree_facts){.git = false}; /* a broken checkout is still a directory */
    return OK;
}

static err_t base_directory(struct prepare *p)
{
    const struct prepare_request *q = p->q;
    if (q->managed) {
        err_t err = repo_materialize(&p->base, q->base_cwd, q->managed_url, p->out->warnings);
        if (err && err->code) return fail(p->out, err->code, err->message);
        TRY(err);
    }
    if (!is_dir(q->base_cwd))
        return fail(
            p->out, "project_workspace_unavailable",
            arena_printf(
                p->a,
                "The project's directory %s is not there: correct the project workspace or restore the directory.",
                q->base_cwd));
    return repo_of(&p->base, &p->repo);
}

static err_t in_worktree(struct prepare *p)
{
    TRY(choose_path(p));
    if (p->out->reason) return OK;
    p->base.dir = p->repo.root;
    struct repo_lock *lock = repo_lock(p->repo.common_dir);
    err_t err = make(p);
    repo_unlock(lock);
    TRY(err);
    if (p->out->reason) return OK;
    p->out->git = true;
    p->out->cwd = p->path;
    p->out->repo_root = p->repo.root;
    p->out->branch = p->q->branch;
    if (p->out->facts.git) return OK; /* new: it is as its base */
    return inspect_reused(p);
}

err_t worktree_prepare(const struct workspace_job *j, const struct prepare_request *q, struct prepare_result *out)
{
    struct prepare p = {.q = q, .out = out, .a = j->arena, .base = git_in(j, q->base_cwd)};
    *out = (struct prepare_result){.warnings = json_array(), .facts = {.ahead = -1, .behind = -1}};
    TRY(base_directory(&p));
    if (out->reason) return OK;
    if (!q->worktree) return plain(&p, p.repo.found);
    if (!p.repo.found && q->if_git) return plain(&p, false);
    if (!p.repo.found)
        return fail(
            out, "git_worktree_base_not_git_checkout",
            arena_printf(
                p.a, "%s is no git checkout: point the project workspace at a repository, or choose shared_workspace.",
                q->base_cwd));
    TRY(in_worktree(&p));
    if (out->reason && q->if_git && q->reuse_dir == NULL && text_is(out->reason, "git_worktree_base_ref_missing")) {
        warn(out, arena_printf(p.a, "%s The run works in the checkout itself.",
                               out->message)); /* nobody asked for a worktree */
        out->reason = out->message = NULL;
        return plain(&p, true);
    }
    if (out->reason) return OK;
    return provision(j, q, out);
}
