/* orphans: worktrees below our folder, and branches of closed workspaces, that nobody has. */
#include "workspace/orphans.h"

#include "base/text.h"
#include "workspace/repo.h"
#include "workspace/worktree.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OURS "/.paperclip/worktrees/"

static bool among(const char *const *list, const char *s)
{
    for (; list && *list; list++)
        if (text_is(*list, s)) return true;
    return false;
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct look {
    const struct workspace_job *j;
    const struct orphans_request *q;
    struct arena *a;
    struct git g;
    struct repo repo;
    const char *base; /* what counts as merged */
    json_t *found;
};

static err_t remove_tree(struct look *l, const char *path, const char *branch, json_t *entry)
{
    struct cleanup_result r;
    TRY(worktree_cleanup(l->j,
                         &(struct cleanup_request){.cwd = path,
                                                   .repo_root = l->repo.root,
                                                   .branch = branch,
                                                   .base_ref = l->base,
                                                   .keep_dir = l->repo.root,
                                                   .worktree = true,
                                                   .ours = true,
                                                   .force = l->q->force,
                                                   .issue_identifier = "gc"},
                         &r));
    json_object_set_new(entry, "removed", json_boolean(r.cleaned));
    if (json_array_size(r.warnings)) json_object_set(entry, "warnings", r.warnings);
    return OK;
}

static err_t one_tree(struct look *l, const char *path, const char *branch)
{
    struct tree_facts t = {.ahead = -1, .behind = -1};
    const char *why = NULL;
    if (strncmp(path, l->repo.root, strlen(l->repo.root)) != 0 ||
        strncmp(path + strlen(l->repo.root), OURS, sizeof OURS - 1) != 0)
        return OK;
    if (among(l->q->dirs, path)) return OK;
    if (is_dir(path)) TRY(LOCAL_DRIVER.inspect(l->j, path, l->base, &t));
    if (t.git && (t.dirty > 0 || t.untracked > 0)) why = "uncommitted work";
    else if (t.git && t.ahead != 0) why = "unmerged commits";
    json_t *entry = json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:b, s:b, s:s?}", "kind", "worktree", "repoRoot",
                              l->repo.root, "path", path, "branch", branch, "dirty", (json_int_t)t.dirty, "untracked",
                              (json_int_t)t.untracked, "aheadOfBase", (json_int_t)t.ahead, "removable",
                              why == NULL || l->q->force, "removed", false, "reason",
                              why            ? why
                              : is_dir(path) ? NULL
                                             : "the directory is gone");
    json_array_append_new(l->found, entry);
    return l->q->apply && (why == NULL || l->q->force) ? remove_tree(l, path, branch, entry) : OK;
}

static err_t trees(struct look *l)
{
    struct git_output o;
    const char *path = NULL, *branch = NULL;
    TRY(git_ok(&l->g, &o, "worktree", "list", "--porcelain", "-z"));
    for (const char *s = o.out, *end = o.out + o.len; s < end; s += strlen(s) + 1) {
        if (strncmp(s, "worktree ", 9) == 0) path = s + 9;
        else if (strncmp(s, "branch refs/heads/", 18) == 0) branch = s + 18;
        else if (*s == 0 && path) { /* an empty record ends each worktree */ TRY(one_tree(l, path, branch));
            path = branch = NULL;
        }
    }
    return path ? one_tree(l, path, branch) : OK;
}

/* A branch whose workspace is closed; deleted at the very commit that was found merged. */
static err_t branches(struct look *l)
{
    for (const char *const *b = l->q->made; b && *b; b++) {
        struct git_output o;
        bool merged = false, known;
        const char *sha, *base, *ref = arena_printf(l->a, "refs/heads/%s", *b);
        TRY(git_commit_of(&l->g, ref, &sha));
        if (sha == NULL || among(l->q->held, *b)) continue;
        TRY(git_commit_of(&l->g, l->base, &base));
        if (base) TRY(git_is_ancestor(&l->g, sha, base, &merged, &known));
        TRY(git_run(&l->g, &o, "worktree", "list", "--porcelain", "-z"));
        bool out = memmem(o.out, o.len, ref, strlen(ref) + 1) != NULL; /* checked out somewhere */
        json_t *entry = json_pack("{s:s, s:s, s:n, s:s, s:b, s:b, s:s?}", "kind", "branch", "repoRoot", l->repo.root,
                                  "path", "branch", *b, "removable", merged && !out, "removed", false, "reason",
                                  out      ? "checked out"
                                  : merged ? NULL
                                           : "unmerged commits");
        json_array_append_new(l->found, entry);
        if (!l->q->apply || !merged || out) continue;
        TRY(git_run(&l->g, &o, "update-ref", "-d", ref, sha));
        json_object_set_new(entry, "removed", json_boolean(o.code == 0));
    }
    return OK;
}

static err_t in_repository(struct look *l, const char *root)
{
    struct base base;
    l->g.dir = root;
    if (!is_dir(root)) return OK;
    TRY(repo_of(&l->g, &l->repo));
    if (!l->repo.found) return OK;
    l->g.dir = l->repo.root;
    TRY(base_resolve(&l->g, &l->repo, NULL, json_array(), &base));
    if (base.sha == NULL) return OK; /* no commit, no worktrees */
    l->base = base.ref;
    TRY(trees(l));
    return branches(l);
}

err_t orphans_find(const struct workspace_job *j, const struct orphans_request *q, json_t **found)
{
    struct look l = {.j = j,
                     .q = q,
                     .a = j->arena,
                     .g = {.arena = j->arena, .abort = j->abort, .log = j->log},
                     .found = json_array()};
    for (const char *const *r = q->roots; *r; r++) {
        err_t err = in_repository(&l, *r);
        if (err)
            json_array_append_new(l.found, json_pack("{s:s, s:s, s:b, s:b, s:s}", "kind", "error", "repoRoot", *r,
                                                     "removable", false, "removed", false, "reason", err->message));
    }
    *found = l.found;
    return OK;
}
