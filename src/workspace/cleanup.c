/* cleanup: taking a worktree away without losing anything (WS-118, WS-120…124, WINV-15). */
#include "workspace/coherence.h"
#include "workspace/provision.h"
#include "workspace/repo.h"
#include "workspace/worktree.h"

#include "base/text.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct cleanup {
    const struct workspace_job *j;
    const struct cleanup_request *q;
    struct cleanup_result *out;
    struct arena *a;
    struct git root, tree;
    struct repo repo;
};

static void warn(struct cleanup *c, const char *text) { json_array_append_new(c->out->warnings, json_string(text)); }

static bool is_dir(const char *path)
{
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* outer is inner, or holds it. */
static bool holds(const char *outer, const char *inner)
{
    char *o = outer ? realpath(outer, NULL) : NULL, *i = inner ? realpath(inner, NULL) : NULL;
    size_t n = o ? strlen(o) : 0;
    bool yes = o && i && strncmp(o, i, n) == 0 && (i[n] == 0 || i[n] == '/');
    free(o);
    free(i);
    return yes;
}

static err_t run_commands(struct cleanup *c)
{
    for (int i = 0; i < 3; i++) {
        struct provision_outcome p;
        if (c->q->commands[i] == NULL || !is_dir(c->q->cwd)) continue;
        TRY(project_command(c->j, c->q->cwd, c->q->repo_root, c->q->commands[i], c->q->env, &p));
        if (p.failed)
            warn(c, arena_printf(c->a, "The command \"%.200s\" ended with code %d.", c->q->commands[i], p.exit_code));
    }
    return OK;
}

/* Dirt is never thrown away: without force the worktree stays, with force it is committed to a rescue branch. */
static err_t secure(struct cleanup *c, bool *go)
{
    struct tree_facts *t = &c->out->facts;
    TRY(git_facts(&c->tree, t));
    TRY(git_distance(&c->tree, c->q->base_ref, t));
    *go = t->dirty == 0 && t->untracked == 0 && t->interrupted == NULL;
    if (*go) return OK;
    if (!c->q->force) {
        warn(c, arena_printf(c->a, "%s has %ld changed and %ld untracked file(s); it was left as it is.", c->q->cwd,
                             (long)t->dirty, (long)t->untracked));
        return OK;
    }
    const struct coherence_wish w = {.recorded = c->q->branch,
                                     .identifier = c->q->issue_identifier,
                                     .issue_id = c->q->issue_id,
                                     .run_id = c->q->run_id};
    TRY(quarantine(&c->tree, &w, t, "forced_cleanup", &c->out->rescue_branch));
    warn(c, arena_printf(c->a, "Uncommitted work is kept on the branch %s.", c->out->rescue_branch));
    *go = true;
    return OK;
}

/* A detached head may be the only way to its commits. */
static err_t keep_detached(struct cleanup *c)
{
    struct git_output o;
    if (c->out->facts.branch || c->out->rescue_branch || c->out->facts.head_sha == NULL) return OK;
    TRY(git_run(&c->tree, &o, "branch", "--format=%(refname:short)", "--contains", c->out->facts.head_sha));
    if (o.code == 0 && o.len > 0 && strchr(o.out, '(') == NULL) return OK;
    c->out->rescue_branch =
        arena_printf(c->a, "paperclip/rescue/%s/%.12s", c->q->issue_identifier ? c->q->issue_identifier : "workspace",
                     c->out->facts.head_sha);
    TRY(git_run(&c->tree, &o, "branch", c->out->rescue_branch, c->out->facts.head_sha));
    warn(c, arena_printf(c->a, "The worktree was on no branch; its commits are kept on %s.", c->out->rescue_branch));
    return OK;
}

/* git itself looks once more; what it refuses for submodules alone is forced, the tree being clean. */
static err_t remove_tree(struct cleanup *c)
{
    struct git_output o;
    c->out->command = git_show(c->a, "worktree", "remove", c->q->cwd);
    TRY(git_run(&c->root, &o, "worktree", "remove", c->q->cwd));
    if (o.code != 0 && strstr(o.err, "submodule"))
        TRY(git_run(&c->root, &o, "worktree", "remove", "--force", c->q->cwd));
    if (o.code != 0)
        warn(c, arena_printf(c->a, "git would not remove the worktree: %.*s", (int)strcspn(o.err, "\n"), o.err));
    return OK;
}

/* Only at the commit that was found merged: a commit made meanwhile keeps its branch. */
static err_t remove_branch(struct cleanup *c)
{
    struct git_output o;
    const char *ref = arena_printf(c->a, "refs/heads/%s", c->q->branch), *sha, *base;
    bool merged = false, known = false;
    if (c->q->branch == NULL || !c->q->ours) return OK;
    TRY(git_commit_of(&c->root, ref, &sha));
    if (sha == NULL) return OK;
    base = c->q->base_ref ? c->q->base_ref : "HEAD";
    TRY(git_commit_of(&c->root, base, &base));
    if (base) TRY(git_is_ancestor(&c->root, sha, base, &merged, &known));
    if (!merged) {
        warn(c, arena_printf(c->a, "Skipped deleting branch \"%s\": it is not merged.", c->q->branch));
        return OK;
    }
    TRY(git_run(&c->root, &o, "update-ref", "-d", ref, sha));
    if (o.code != 0) warn(c, arena_printf(c->a, "Skipped deleting branch \"%s\": it moved meanwhile.", c->q->branch));
    return OK;
}

static err_t clean_worktree(struct cleanup *c)
{
    struct git_output o;
    const char *why;
    bool go = true;
    TRY(worktree_flaw(&c->root, c->repo.common_dir, c->q->cwd, &why));
    if (why && !text_is(why, "missing_worktree")) {
        warn(c, arena_printf(c->a, "%s is no worktree of %s any more (%s); it was left as it is.", c->q->cwd,
                             c->repo.root, why));
        return OK;
    }
    if (why) TRY(git_run(&c->root, &o, "worktree", "prune"));
    else TRY(secure(c, &go));
    if (!go) return OK;
    if (!why) TRY(keep_detached(c));
    if (!why) TRY(remove_tree(c));
    return is_dir(c->q->cwd) ? OK : remove_branch(c);
}

err_t worktree_cleanup(const struct workspace_job *j, const struct cleanup_request *q, struct cleanup_result *out)
{
    struct git root = {.arena = j->arena, .dir = q->repo_root, .abort = j->abort, .log = j->log}, tree = root;
    struct cleanup c = {.j = j, .q = q, .out = out, .a = j->arena, .root = root, .tree = tree};
    c.tree.dir = q->cwd;
    *out = (struct cleanup_result){.warnings = json_array()};
    TRY(run_commands(&c));
    if (!q->worktree) {
        out->cleaned = true; /* somebody's own checkout: only the record goes */
        return OK;
    }
    if (q->cwd == NULL || holds(q->cwd, q->keep_dir)) {
        warn(&c, "The workspace holds the project's own checkout; it is never removed.");
        return OK;
    }
    if (is_dir(q->repo_root)) TRY(repo_of(&c.root, &c.repo));
    if (!c.repo.found) {
        out->cleaned = !is_dir(q->cwd);
        if (!out->cleaned)
            warn(&c, arena_printf(j->arena, "The repository of %s is gone; the directory was left as it is.", q->cwd));
        return OK;
    }
    struct repo_lock *lock = repo_lock(c.repo.common_dir);
    err_t err = clean_worktree(&c);
    repo_unlock(lock);
    TRY(err);
    out->cleaned = !is_dir(q->cwd);
    return OK;
}
