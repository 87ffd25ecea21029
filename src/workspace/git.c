/* git: running it, reading its porcelain, and one lock per repository. */
#include "workspace/git.h"

#include "base/text.h"
#include "workspace/op_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20)
#define WORDS_MAX 64
#define ENV_MAX 32

/* ---- running ---- */

/* What git needs of ours: how to find itself, its configuration and the user's keys. */
static const char *const *environment(struct arena *a)
{
    static const char *const names[] = {"PATH",
                                        "HOME",
                                        "USER",
                                        "LOGNAME",
                                        "SSH_AUTH_SOCK",
                                        "XDG_CONFIG_HOME",
                                        "GIT_CONFIG_GLOBAL",
                                        "GIT_CONFIG_SYSTEM",
                                        "GIT_CONFIG_NOSYSTEM",
                                        "GIT_AUTHOR_NAME",
                                        "GIT_AUTHOR_EMAIL",
                                        "GIT_COMMITTER_NAME",
                                        "GIT_COMMITTER_EMAIL",
                                        "http_proxy",
                                        "https_proxy",
                                        "no_proxy",
                                        "HTTPS_PROXY",
                                        "SSL_CERT_FILE",
                                        "SSL_CERT_DIR",
                                        "TMPDIR"};
    const char **env = arena_array(a, const char *, ENV_MAX);
    int n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        if (v && *v) env[n++] = arena_printf(a, "%s=%s", names[i], v);
    }
    env[n++] = "LC_ALL=C";
    env[n++] = "GIT_TERMINAL_PROMPT=0";
    env[n++] = "GIT_ASKPASS=true";
    env[n++] = "SSH_ASKPASS=true";
    env[n++] = "GIT_SSH_COMMAND=ssh -oBatchMode=yes";
    env[n++] =
        "GIT_LFS_SKIP_DOWNLOAD_ERRORS=1"; /* what is not here stays a pointer: no checkout needs a remote (WS-7) */
    env[n++] = "GIT_EDITOR=true";
    return env;
}

const char *git_shown(struct arena *a, const char *const *words)
{
    struct buf b = {0};
    buf_puts(&b, "git");
    for (; *words; words++) {
        bool plain = **words && (*words)[strcspn(*words, " \t\n'\"\\$&|;<>*?()#")] == 0;
        buf_printf(&b, plain ? " %s" : " '%s'", *words);
    }
    return buf_finish(&b, a);
}

/* The only place that could ever send commits away does not (WS-7, AD-107). */
static bool sends(const char *const *words)
{
    while (words[0] && words[0][0] == '-') words += text_is(words[0], "-c") || text_is(words[0], "-C") ? 2 : 1;
    const char *first = words[0] ? words[0] : "";
    bool remote_write =
        text_is(first, "remote") && words[1] && (text_is(words[1], "add") || text_is(words[1], "set-url"));
    /* bulldog:allow-git-push: the list of what is refused */
    return strcasecmp(first, "push") == 0 || text_is(first, "send-pack") || text_is(first, "http-push") || remote_write;
}

err_t git_words(const struct git *g, struct git_output *out, const char *const *words)
{
    /* no program that the repository configures runs in the server's name: hooks, monitors, background upkeep */
    const char *argv[WORDS_MAX] = {"git",
                                   "-C",
                                   g->dir,
                                   "-c",
                                   "core.hooksPath=/dev/null",
                                   "-c",
                                   "core.fsmonitor=false",
                                   "-c",
                                   "gc.auto=0",
                                   "-c",
                                   "advice.detachedHead=false"};
    struct command_result r;
    int n = 0;
    *out = (struct git_output){.code = -1, .out = "", .err = ""};
    while (argv[n]) n++;
    if (sends(words)) return err_new(g->arena, ERR_FORBIDDEN, "this server never runs git %s", words[0]);
    for (const char *const *w = words; *w; w++) {
        if (n == WORDS_MAX - 1) return err_new(g->arena, ERR_INTERNAL, "too many words for git %s", words[0]);
        argv[n++] = *w;
    }
    if (g->log) op_log_write(g->log, "system", arena_printf(g->arena, "$ %s\n", git_shown(g->arena, words)));
    TRY(command_run(g->arena,
                    &(struct command){.argv = argv,
                                      .env = environment(g->arena),
                                      .timeout_ms = g->timeout_ms ? g->timeout_ms : GIT_TIMEOUT_MS,
                                      .output_max = OUTPUT_MAX,
                                      .abort = g->abort},
                    &r));
    *out = (struct git_output){.code = r.exit_code,
                               .timed_out = r.timed_out,
                               .aborted = r.aborted,
                               .truncated = r.truncated,
                               .out = r.out,
                               .err = r.err,
                               .len = r.out_len};
    if (g->log) op_log_write(g->log, "stderr", r.err);
    return OK;
}

err_t git_must(const struct git *g, struct git_output *out, const char *const *words)
{
    struct git_output mine, *o = out ? out : &mine;
    TRY(git_words(g, o, words));
    if (o->code == 0) return OK;
    const char *said = *o->err        ? o->err
                       : o->timed_out ? "it took too long"
                       : o->aborted   ? "it was cancelled"
                                      : "no reason given";
    size_t n = strlen(said);
    while (n && (said[n - 1] == '\n' || said[n - 1] == ' ')) n--;
    return err_new(g->arena, ERR_UNPROCESSABLE, "%s failed: %.*s", git_shown(g->arena, words), (int)(n < 800 ? n : 800),
                   said);
}

const char *git_line(struct arena *a, const struct git_output *o)
{
    return arena_strndup(a, o->out, strcspn(o->out, "\r\n"));
}

/* ---- reading ---- */

static const char *interrupted_in(struct arena *a, const char *git_dir)
{
    static const struct {
        const char *file, *what;
    } marks[] = {{"rebase-merge", "rebase"},          {"rebase-apply", "rebase"}, {"MERGE_HEAD", "merge"},
                 {"CHERRY_PICK_HEAD", "cherry_pick"}, {"REVERT_HEAD", "revert"},  {"BISECT_LOG", "bisect"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (access(arena_printf(a, "%s/%s", git_dir, marks[i].file), F_OK) == 0) return marks[i].what;
    return NULL;
}

const char *git_dir_of(struct arena *a, const char *tree)
{
    char line[4096];
    const char *dot = arena_printf(a, "%s/.git", tree);
    FILE *f = fopen(dot, "re");
    const char *dir = dot;
    if (f && fgets(line, sizeof line, f) && strncmp(line, "gitdir: ", 8) == 0) {
        line[strcspn(line, "\r\n")] = 0;
        dir = line[8] == '/' ? arena_strdup(a, line + 8) : arena_printf(a, "%s/%s", tree, line + 8);
    }
    if (f) fclose(f);
    return dir;
}

err_t git_facts(const struct git *g, struct tree_facts *out)
{
    struct git_output o;
    *out = (struct tree_facts){.git = true, .ahead = -1, .behind = -1};
    TRY(git_ok(g, &o, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"));
    for (const char *p = o.out, *end = o.out + o.len; p < end; p += strlen(p) + 1) {
        if (strncmp(p, "# branch.oid ", 13) == 0 && p[13] != '(') out->head_sha = arena_strdup(g->arena, p + 13);
        else if (strncmp(p, "# branch.head ", 14) == 0 && p[14] != '(') out->branch = arena_strdup(g->arena, p + 14);
        else if (*p == '?') out->untracked++;
        else if (*p == '1' || *p == 'u') out->dirty++;
        else if (*p == '2') { /* a rename: its old name follows */ out->dirty++;
            p += strlen(p) + 1;
            if (p >= end) break;
        }
    }
    out->interrupted = interrupted_in(g->arena, git_dir_of(g->arena, g->dir));
    return OK;
}

err_t git_commit_of(const struct git *g, const char *ref, const char **sha)
{
    struct git_output o;
    *sha = NULL;
    if (*ref == '-') return OK; /* no option in disguise */
    TRY(git_run(g, &o, "rev-parse", "--verify", "--quiet", arena_printf(g->arena, "%s^{commit}", ref)));
    if (o.code == 0) *sha = git_line(g->arena, &o);
    return OK;
}

err_t git_distance(const struct git *g, const char *base, struct tree_facts *facts)
{
    struct git_output o;
    long long behind, ahead;
    facts->ahead = facts->behind = -1;
    if (base == NULL || facts->head_sha == NULL) return OK;
    TRY(git_commit_of(g, base, &facts->base_sha));
    if (facts->base_sha == NULL) return OK;
    if (text_is(facts->base_sha, facts->head_sha)) {
        facts->ahead = facts->behind = 0;
        return OK;
    }
    TRY(git_run(g, &o, "rev-list", "--left-right", "--count",
                arena_printf(g->arena, "%s...%s", facts->base_sha, facts->head_sha), "--"));
    if (o.code != 0 || sscanf(o.out, "%lld %lld", &behind, &ahead) != 2) return OK;
    facts->ahead = ahead;
    facts->behind = behind;
    return OK;
}

err_t git_is_ancestor(const struct git *g, const char *ancestor, const char *descendant, bool *yes, bool *known)
{
    struct git_output o;
    TRY(git_run(g, &o, "merge-base", "--is-ancestor", ancestor, descendant));
    *known = o.code == 0 || o.code == 1;
    *yes = o.code == 0;
    return OK;
}

/* ---- the lock ---- */

struct repo_lock {
    struct repo_lock *next;
    char *name;
    int users;
    pthread_mutex_t mutex;
};
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct repo_lock *table;

struct repo_lock *repo_lock(const char *common_dir)
{
    struct repo_lock *l;
    pthread_mutex_lock(&table_lock);
    for (l = table; l && strcmp(l->name, common_dir) != 0; l = l->next) continue;
    if (l == NULL) {
        l = calloc(1, sizeof *l);
        if (l == NULL || (l->name = strdup(common_dir)) == NULL) abort();
        pthread_mutex_init(&l->mutex, NULL);
        l->next = table;
        table = l;
    }
    l->users++;
    pthread_mutex_unlock(&table_lock);
    pthread_mutex_lock(&l->mutex);
    return l;
}

void repo_unlock(struct repo_lock *l)
{
    pthread_mutex_unlock(&l->mutex);
    pthread_mutex_lock(&table_lock);
    if (--l->users == 0) {
        struct repo_lock **p = &table;
        while (*p != l) p = &(*p)->next;
        *p = l->next;
        pthread_mutex_destroy(&l->mutex);
        free(l->name);
        free(l);
    }
    pthread_mutex_unlock(&table_lock);
}
