/* demo_stage: everything that has to be there before the goal is handed out. */
#include "base/buf.h"
#include "base/id.h"
#include "base/json.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/demo.h"
#include "cli/examples.h"
#include "cli/exec.h"
#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { GIT_TIMEOUT_MS = 60000, RETRY_PAUSE_MS = 200, RUN_TIMEOUT_SEC = 300 };

static const struct {
    const char *name, *role, *title, *script;
} CAST[DEMO_AGENTS] = {
    {"CEO", "ceo", "Chief executive", "ceo.sh"},
    {"Statistician", "engineer", "Statistician", "statistician.sh"},
    {"Writer", "engineer", "Writer", "writer.sh"},
};

static bool complain(const char *what, const char *about)
{
    fprintf(stderr, "bulldog demo: %s: %s\n", what, about);
    return false;
}

/* ---- requests ---- */

static bool may_pass(const struct api_answer *answer) { return answer->status == 0 || answer->status >= 500; }

json_t *demo_call(struct demo *d, const char *method, const char *path, const json_t *body)
{
    instant_t until = clock_now() + DEMO_REQUEST_PATIENCE_MS;
    struct api_answer answer;
    for (;;) {
        answer = api_request(d->c, method, path, body);
        bool first_never_answered = answer.status == 0 && d->company_id == NULL; /* probably no server at all */
        if (!may_pass(&answer) || first_never_answered || clock_now() > until) break;
        nanosleep(&(struct timespec){.tv_nsec = RETRY_PAUSE_MS * 1000000L}, NULL);
    }
    if (answer.status >= 200 && answer.status < 300) return answer.json ? answer.json : json_null();
    api_report(d->c, method, path, &answer);
    return NULL;
}

/* Creates an object unless one with the same `key` is listed: so a lost answer makes no second one. */
static const json_t *create_once(struct demo *d, const char *path, const char *key, const json_t *body)
{
    const char *want = json_str(body, key);
    instant_t until = clock_now() + DEMO_REQUEST_PATIENCE_MS;
    for (;;) {
        json_t *list = demo_call(d, "GET", path, NULL);
        if (list == NULL) return NULL;
        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *value = json_str(json_array_get(list, i), key);
            if (value && strcmp(value, want) == 0) return json_array_get(list, i);
        }
        struct api_answer made = api_request(d->c, "POST", path, body);
        if (made.status >= 200 && made.status < 300) return made.json;
        if (!may_pass(&made) || clock_now() > until) {
            api_report(d->c, "POST", path, &made);
            return NULL;
        }
    }
}

/* ---- files ---- */

static bool make_folders(struct arena *a, const char *path)
{
    char *copy = arena_strdup(a, path);
    for (char *p = copy + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) return complain(copy, strerror(errno));
        *p = '/';
    }
    if (mkdir(copy, 0755) != 0 && errno != EEXIST) return complain(copy, strerror(errno));
    return true;
}

static bool write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return complain(path, strerror(errno));
    size_t len = strlen(text);
    bool good = write(fd, text, len) == (ssize_t)len;
    good = close(fd) == 0 && good;
    return good || complain(path, "cannot be written");
}

/* A folder of this demo's own, with the agents' programs in it. */
static bool make_folder(struct demo *d)
{
    struct arena *a = d->c->arena;
    d->folder = arena_printf(a, "%s/demo/%s", place_data_dir(d->c), random_hex(a, 4));
    if (!make_folders(a, arena_printf(a, "%s/agents", d->folder))) return false;
    for (const struct example *e = EXAMPLE_AGENTS; e->name; e++)
        if (!write_file(arena_printf(a, "%s/agents/%s", d->folder, e->name), e->text, 0755)) return false;
    return true;
}

/* ---- the repository ---- */

static struct exec_result git(struct demo *d, const char *repo, const char *const args[])
{
    const char *argv[24] = {"git", "-C", repo};
    int n = 3;
    for (; *args && n < 23; args++) argv[n++] = *args;
    argv[n] = NULL;
    return exec_wait(d->c->arena, argv, GIT_TIMEOUT_MS);
}
#define GIT(d, repo, ...) git((d), (repo), (const char *const[]){__VA_ARGS__, NULL})

/* Three authors, nine commits: enough for a report. */
static bool make_sample(struct demo *d)
{
    static const char *const authors[] = {"Ada", "Grace", "Ada", "Linus", "Ada", "Grace", "Ada", "Grace", "Ada"};
    static const char *const files[] = {"README.md",     "src/engine.c", "src/engine.c", "src/shim.c",  "src/engine.c",
                                        "docs/guide.md", "README.md",    "src/shim.c",   "src/engine.c"};
    struct arena *a = d->c->arena;
    d->repo = arena_printf(a, "%s/repo", d->folder);
    if (!make_folders(a, arena_printf(a, "%s/src", d->repo)) || !make_folders(a, arena_printf(a, "%s/docs", d->repo)))
        return false;
    struct exec_result r = GIT(d, d->repo, "init", "--quiet", "--initial-branch=main");
    for (size_t i = 0; r.code == 0 && i < sizeof authors / sizeof *authors; i++) {
        const char *text = arena_printf(a, "%s, revision %zu\n", files[i], i + 1);
        if (!write_file(arena_printf(a, "%s/%s", d->repo, files[i]), text, 0644)) return false;
        r = GIT(d, d->repo, "add", "--all");
        if (r.code != 0) break;
        r = GIT(d, d->repo, "-c", arena_printf(a, "user.name=%s", authors[i]), "-c",
                "user.email=sample@bulldog.invalid", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message",
                arena_printf(a, "Change %s", files[i]));
    }
    return r.code == 0 || complain("cannot make a sample repository", r.output);
}

static bool find_repo(struct demo *d)
{
    const char *asked = d->c->value[OPT_repo];
    if (!exec_exists("git")) return complain("git", "is not installed");
    struct exec_result top = GIT(d, asked ? asked : ".", "rev-parse", "--show-toplevel");
    if (top.code != 0 && asked) top = GIT(d, asked, "rev-parse", "--absolute-git-dir"); /* a bare one */
    if (top.code != 0 && asked) return complain(asked, top.output);
    if (top.code != 0) return make_sample(d);
    d->repo = top.output;
    struct exec_result head = GIT(d, d->repo, "rev-parse", "--verify", "--quiet", "HEAD");
    if (head.code == 0) return true;
    return asked ? complain(d->repo, "has no commit yet, so there is nothing to report on") : make_sample(d);
}

/* ---- the company ---- */

static bool make_company(struct demo *d)
{
    struct arena *a = d->c->arena;
    const char *slash = strrchr(d->repo, '/'), *base = slash && slash[1] ? slash + 1 : d->repo;
    const json_t *company =
        create_once(d, "/api/companies", "description",
                    json_pack("{s:s, s:s}", "name", arena_printf(a, "Demo: %s", base), "description",
                              arena_printf(a, "Made by bulldog demo (%s)", strrchr(d->folder, '/') + 1)));
    if (company == NULL) return false;
    d->company_id = json_str(company, "id");
    d->prefix = json_str(company, "issuePrefix");
    d->company_name = json_str(company, "name");
    return true;
}

static bool make_agents(struct demo *d)
{
    struct arena *a = d->c->arena;
    const char *path = arena_printf(a, "/api/companies/%s/agents", d->company_id);
    for (int i = 0; i < DEMO_AGENTS; i++) {
        json_t *env = json_pack("{s:{s:s, s:s}}", "REPORT_DIR", "type", "plain", "value", d->folder);
        json_t *config = json_pack("{s:s, s:[s], s:o, s:i}", "command", "/bin/sh", "args",
                                   arena_printf(a, "%s/agents/%s", d->folder, CAST[i].script), "env", env, "timeoutSec",
                                   RUN_TIMEOUT_SEC);
        json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s?}", "name", CAST[i].name, "role", CAST[i].role, "title",
                                 CAST[i].title, "adapterType", "process", "adapterConfig", config, "reportsTo",
                                 i ? d->agent_id[0] : NULL);
        const json_t *agent = create_once(d, path, "name", body);
        if (agent == NULL) return false;
        d->agent_id[i] = json_str(agent, "id");
        d->agent_name[i] = CAST[i].name;
    }
    return true;
}

/* The repository as a project, and the goal: assigning it wakes the CEO. The CEO only reads the checkout; it gives
 * its engineers a worktree on a branch of their own (ceo.sh). */
static bool make_goal(struct demo *d)
{
    struct arena *a = d->c->arena;
    json_t *workspace = json_pack("{s:s, s:s, s:b}", "name", "repository", "cwd", d->repo, "isPrimary", 1);
    const json_t *project =
        create_once(d, arena_printf(a, "/api/companies/%s/projects", d->company_id), "name",
                    json_pack("{s:s, s:s, s:o, s:{s:b, s:s}}", "name", "Report", "status", "in_progress", "workspace",
                              workspace, "executionWorkspacePolicy", "enabled", 1, "defaultMode", "shared_workspace"));
    if (project == NULL) return false;
    d->project_id = json_str(project, "id");
    json_t *goal = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s}", "title", "Publish a contributor and hot-file report for this repository",
        "description", "Who writes this repository, and which of its files change most?", "priority", "high",
        "projectId", d->project_id, "assigneeAgentId", d->agent_id[0], "idempotencyKey", d->folder);
    const json_t *issue = demo_call(d, "POST", arena_printf(a, "/api/companies/%s/issues", d->company_id), goal);
    if (issue == NULL) return false;
    d->goal_id = json_str(issue, "id");
    d->goal = json_str(issue, "identifier");
    return true;
}

bool demo_stage(struct demo *d)
{
    return make_folder(d) && find_repo(d) && make_company(d) && make_agents(d) && make_goal(d);
}
