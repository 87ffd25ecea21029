/*
 * git: the `git` command, for the server's own purposes. Argument vectors only,
 * bounded in time and output, never asking anybody, in an environment made from
 * nothing. It never sends anything to a remote: such subcommands are refused
 * here (WS-7, AD-107). Blocks: job threads only.
 */
#ifndef BULLDOG_WORKSPACE_GIT_H
#define BULLDOG_WORKSPACE_GIT_H

#include "base/json.h"
#include "rules/worktree.h"
#include "workspace/command.h"

/* Where the commands of one piece of work go: the directory, its cancel, its log. */
struct git {
    struct arena *arena;
    const char *dir;
    atomic_bool *abort; /* or NULL */
    struct op_log *log; /* every command and its output, or NULL */
    int64_t timeout_ms; /* 0: GIT_TIMEOUT_MS */
};
#define GIT_TIMEOUT_MS 120000
#define GIT_FETCH_TIMEOUT_MS 30000

struct git_output {
    int code; /* exit code; -1: killed or never started */
    bool timed_out, aborted, truncated;
    const char *out, *err;
    size_t len; /* of out */
};

/* Runs `git -C dir …` with the words up to NULL. What git says is no error of ours: look at out->code. */
err_t git_words(const struct git *g, struct git_output *out, const char *const *words) MUST_CHECK;
#define git_run(g, out, ...) git_words((g), (out), (const char *const[]){__VA_ARGS__, NULL})
/* The same; exit code 0 is success, anything else is ERR_UNPROCESSABLE with git's own words. */
#define git_ok(g, out, ...) git_must((g), (out), (const char *const[]){__VA_ARGS__, NULL})
err_t git_must(const struct git *g, struct git_output *out, const char *const *words) MUST_CHECK;
/* The first line of the output. */
const char *git_line(struct arena *a, const struct git_output *o);
/* The command as a person would type it. */
const char *git_shown(struct arena *a, const char *const *words);
#define git_show(a, ...) git_shown((a), (const char *const[]){__VA_ARGS__, NULL})

/* The working tree at g->dir: branch, head, dirt (one git command). */
err_t git_facts(const struct git *g, struct tree_facts *out) MUST_CHECK;
/* ahead and behind of base (a ref or sha); -1 when base is gone. */
err_t git_distance(const struct git *g, const char *base, struct tree_facts *facts) MUST_CHECK;
/* "gitdir: …" of a linked worktree, else the directory's own .git. */
const char *git_dir_of(struct arena *a, const char *tree);
/* Is ancestor in the history of descendant? */
err_t git_is_ancestor(const struct git *g, const char *ancestor, const char *descendant, bool *yes,
                      bool *known) MUST_CHECK;
/* The commit of a ref, or NULL. */
err_t git_commit_of(const struct git *g, const char *ref, const char **sha) MUST_CHECK;

/* One process-wide lock per repository for what takes git's own locks (WS-106). */
struct repo_lock;
struct repo_lock *repo_lock(const char *common_dir);
void repo_unlock(struct repo_lock *l);

#endif
