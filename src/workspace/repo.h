/* repo: which repository a directory belongs to, and which commit work begins at (WS-56, WS-59, WS-60). */
#ifndef BULLDOG_WORKSPACE_REPO_H
#define BULLDOG_WORKSPACE_REPO_H

#include "workspace/git.h"

struct repo {
    bool found;
    const char *common_dir; /* the repository itself */
    const char *root;       /* the directory that owns it */
};
err_t repo_of(const struct git *g, struct repo *out) MUST_CHECK;

struct base {
    const char *ref, *sha; /* sha NULL: there is no such commit */
    bool remote;           /* a remote-tracking ref */
};
/* configured NULL, blank or HEAD: detected. Fetches at most what it needs, and not
 * again within FETCH_EVERY; a failing fetch is a warning (offline work goes on). */
err_t base_resolve(const struct git *g, const struct repo *repo, const char *configured, json_t *warnings,
                   struct base *out) MUST_CHECK;

/* Makes a managed checkout (WS-27): adopts what is there, else clones beside and renames. url NULL: a plain directory. */
err_t repo_materialize(const struct git *g, const char *dir, const char *url, json_t *warnings) MUST_CHECK;
/* mkdir -p */
err_t make_directories(struct arena *a, const char *path) MUST_CHECK;

#endif
