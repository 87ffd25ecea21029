/* repo: finding it, making it, and the base of new work. */
#include "workspace/repo.h"

#include "base/id.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FETCH_EVERY_MS 30000
#define FETCHES_KEPT 64
#define CLONE_TIMEOUT_MS (30 * 60 * 1000)

/* ---- which repository ---- */

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

err_t repo_of(const struct git *g, struct repo *out)
{
    struct git_output o;
    *out = (struct repo){.found = false};
    TRY(git_run(g, &o, "rev-parse", "--path-format=absolute", "--git-common-dir"));
    if (o.code != 0) return OK;
    out->found = true;
    out->common_dir = git_line(g->arena, &o);
    if (ends_with(out->common_dir, "/.git")) {
        out->root = arena_strndup(g->arena, out->common_dir, strlen(out->common_dir) - 5);
        return OK;
    }
    TRY(git_run(g, &o, "rev-parse", "--path-format=absolute", "--show-toplevel")); /* a submodule, or bare */
    out->root = o.code == 0 ? git_line(g->arena, &o) : out->common_dir;
    return OK;
}

/* ---- fetching, once in a while ---- */

static pthread_mutex_t fetch_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char key[65];
    uint64_t at_ns;
} fetches[FETCHES_KEPT];
static unsigned fetch_next;

static bool fetched_lately(const char *key)
{
    bool yes = false;
    pthread_mutex_lock(&fetch_lock);
    for (int i = 0; i < FETCHES_KEPT; i++)
        if (text_is(fetches[i].key, key)) yes = (clock_mono_ns() - fetches[i].at_ns) / 1000000 < FETCH_EVERY_MS;
    pthread_mutex_unlock(&fetch_lock);
    return yes;
}

static void note_fetch(const char *key)
{
    int place = -1;
    pthread_mutex_lock(&fetch_lock);
    for (int i = 0; i < FETCHES_KEPT; i++)
        if (text_is(fetches[i].key, key)) place = i;
    if (place < 0) place = (int)(fetch_next++ % FETCHES_KEPT);
    snprintf(fetches[place].key, sizeof fetches[place].key, "%s", key);
    fetches[place].at_ns = clock_mono_ns();
    pthread_mutex_unlock(&fetch_lock);
}

static void warn(json_t *warnings, const char *text) { json_array_append_new(warnings, json_string(text)); }

static err_t fetch(const struct git *g, const struct repo *repo, const char *remote, const char *branch,
                   json_t *warnings)
{
    struct arena *a = g->arena;
    struct git_output o;
    const char *name = arena_printf(a, "%s\n%s\n%s", repo->common_dir, remote, branch),
               *key = sha256_hex(a, name, strlen(name));
    if (fetched_lately(key)) return OK;
    struct git slow = *g;
    slow.timeout_ms = GIT_FETCH_TIMEOUT_MS;
    TRY(git_run(&slow, &o, "fetch", "--quiet", "--no-tags", "--prune", remote,
                arena_printf(a, "+refs/heads/%s:refs/remotes/%s/%s", branch, remote, branch)));
    note_fetch(key);
    if (o.code != 0)
        warn(warnings,
             arena_printf(a, "The branch %s could not be fetched from %s%s; work goes on with what is known of it.",
                          branch, remote, o.timed_out ? " in time" : ""));
    return OK;
}

/* ---- the base ---- */

static err_t has_remote(const struct git *g, const char *name, bool *yes)
{
    struct git_output o;
    *yes = false;
    if (*name == 0 || *name == '-') return OK;
    TRY(git_run(g, &o, "config", "--get", arena_printf(g->arena, "remote.%s.url", name)));
    *yes = o.code == 0 && o.len > 1;
    return OK;
}

static err_t use(const struct git *g, const char *ref, bool remote, struct base *out)
{
    *out = (struct base){.ref = ref, .remote = remote};
    return git_commit_of(g, ref, &out->sha);
}

static err_t detect(const struct git *g, const struct repo *repo, bool origin, json_t *warnings, struct base *out)
{
    static const char *const usual[] = {"main", "master"};
    struct git_output o;
    if (origin) {
        TRY(git_run(g, &o, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"));
        const char *head = o.code == 0 ? git_line(g->arena, &o) : NULL;
        if (head && strncmp(head, "origin/", 7) == 0) {
            TRY(fetch(g, repo, "origin", head + 7, warnings));
            TRY(use(g, head, true, out));
            if (out->sha) return OK;
        }
        for (int i = 0; i < 2; i++) {
            TRY(use(g, arena_printf(g->arena, "origin/%s", usual[i]), true, out));
            if (out->sha) return OK;
        }
    }
    for (int i = 0; i < 2; i++) {
        TRY(git_commit_of(g, arena_printf(g->arena, "refs/heads/%s", usual[i]), &out->sha));
        out->ref = usual[i];
        out->remote = false;
        if (out->sha) return OK;
    }
    return use(g, "HEAD", false, out);
}

/* remote/branch, when there is such a remote and no local branch of that name. */
static err_t split_remote(const struct git *g, const char *ref, const char **remote, const char **branch)
{
    const char *slash = strchr(ref, '/'), *local;
    bool yes;
    *remote = NULL;
    if (slash == NULL || slash[1] == 0) return OK;
    const char *name = arena_strndup(g->arena, ref, (size_t)(slash - ref));
    TRY(has_remote(g, name, &yes));
    TRY(git_commit_of(g, arena_printf(g->arena, "refs/heads/%s", ref), &local));
    if (!yes || local) return OK;
    *remote = name;
    *branch = slash + 1;
    return OK;
}

err_t base_resolve(const struct git *g, const struct repo *repo, const char *configured, json_t *warnings,
                   struct base *out)
{
    struct arena *a = g->arena;
    const char *remote, *branch = NULL, *local, *commit;
    bool origin;
    TRY(has_remote(g, "origin", &origin));
    if (configured == NULL || *configured == 0 || text_is(configured, "HEAD"))
        return detect(g, repo, origin, warnings, out);
    *out = (struct base){.ref = configured};
    if (*configured == '-') return OK;
    TRY(split_remote(g, configured, &remote, &branch));
    if (remote) {
        TRY(fetch(g, repo, remote, branch, warnings));
        return use(g, configured, true, out);
    }
    TRY(git_commit_of(g, arena_printf(a, "refs/heads/%s", configured), &local));
    TRY(git_commit_of(g, configured, &commit));
    if (local == NULL && commit) return use(g, configured, false, out); /* a tag, a commit */
    if (!origin) return use(g, configured, false, out);
    TRY(fetch(g, repo, "origin", configured, warnings));
    TRY(use(g, arena_printf(a, "origin/%s", configured), true, out));
    if (out->sha || local == NULL) return OK;
    warn(warnings, arena_printf(a, "The remote has no branch %s; the local one is the base.", configured));
    return use(g, configured, false, out);
}

/* ---- managed checkouts ---- */

err_t make_directories(struct arena *a, const char *path)
{
    char *p = arena_strdup(a, path);
    for (char *slash = strchr(p + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) *slash = 0;
        if (mkdir(p, 0755) != 0 && errno != EEXIST)
            return err_new(a, ERR_UNAVAILABLE, "cannot make the directory %s: %s", p, strerror(errno));
        if (slash == NULL) return OK;
        *slash = '/';
    }
}

static bool empty_or_missing(const char *dir)
{
    DIR *d = opendir(dir);
    bool empty = true;
    if (d == NULL) return errno == ENOENT;
    for (struct dirent *x; empty && (x = readdir(d));) empty = text_is(x->d_name, ".") || text_is(x->d_name, "..");
    closedir(d);
    return empty;
}

/* No password of an address stands in a message. */
static const char *masked(struct arena *a, const char *url)
{
    const char *scheme = strstr(url, "://"), *at = scheme ? strchr(scheme + 3, '@') : NULL,
               *slash = scheme ? strchr(scheme + 3, '/') : NULL;
    const char *end = url + strcspn(url, "?#");
    if (at && (slash == NULL || at < slash))
        return arena_printf(a, "%.*s://***@%.*s", (int)(scheme - url), url, (int)(end - at - 1), at + 1);
    return arena_strndup(a, url, (size_t)(end - url));
}

err_t repo_materialize(const struct git *g, const char *dir, const char *url, json_t *warnings)
{
    struct arena *a = g->arena;
    struct git_output o;
    if (url == NULL) return make_directories(a, dir);
    const char *slash = strrchr(dir, '/');
    const char *parent = arena_strndup(a, dir, (size_t)(slash - dir));
    TRY(make_directories(a, parent));
    struct repo_lock *lock = repo_lock(dir); /* one clone at a time to one place */
    err_t err = OK;
    if (access(arena_printf(a, "%s/.git", dir), F_OK) == 0) {
        ;
    } else if (!empty_or_missing(dir)) {
        warn(warnings, arena_printf(a, "%s is no git checkout; it is used as it is.", dir));
    } else {
        const char *fresh = arena_printf(a, "%s.clone-%s", dir, random_hex(a, 4));
        struct git there = *g;
        there.dir = parent;
        there.timeout_ms = CLONE_TIMEOUT_MS;
        there.log = NULL; /* the address may hold a secret */
        err = git_run(&there, &o, "clone", "--quiet", "--", url, fresh);
        if (err == OK && o.code != 0)
            err = err_with(a, ERR_UNPROCESSABLE, "git_worktree_base_materialization_failed", NULL,
                           "The repository %s could not be cloned%s", masked(a, url), o.timed_out ? " in time" : "");
        if (err == OK) rmdir(dir);
        if (err == OK && rename(fresh, dir) != 0)
            err = err_new(a, ERR_UNAVAILABLE, "cannot move the new clone to %s: %s", dir, strerror(errno));
    }
    repo_unlock(lock);
    return err;
}
