/* demo: the frame around it, and how it ended. */
#include "cli/demo.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/settings.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/exec.h"
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_SEC = 120, GIT_TIMEOUT_MS = 30000, CLOSE_TRIES = 200 };

static int64_t span_ms(const json_t *run)
{
    instant_t from, to;
    const char *started = json_str(run, "startedAt"), *finished = json_str(run, "finishedAt");
    return started && finished && instant_parse(started, &from) && instant_parse(finished, &to) ? to - from : 0;
}

/* The branch that the CEO named after the goal. */
static const char *branch_of(struct demo *d)
{
    char *branch = arena_printf(d->c->arena, "report/%s-%.6s", d->goal, d->goal_id + strlen(d->goal_id) - 6);
    for (char *p = branch; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p - 'A' + 'a');
    return branch;
}

static const char *report_text(struct demo *d, const char *branch)
{
    const char *file = arena_printf(d->c->arena, "%s:REPORT.md", branch);
    struct exec_result r =
        exec_wait(d->c->arena, (const char *const[]){"git", "-C", d->repo, "show", file, NULL}, GIT_TIMEOUT_MS);
    return r.code == 0 ? r.output : NULL;
}

/* The engineers' workspace is closed, which takes its worktree from the repository again; the branch stays. */
static void close_workspaces(struct demo *d)
{
    struct arena *a = d->c->arena;
    const char *path = arena_printf(a, "/api/companies/%s/execution-workspaces", d->company_id);
    const json_t *ws;
    size_t i;
    json_array_foreach (demo_call(d, "GET", path, NULL), i, ws) {
        const char *one = arena_printf(a, "/api/execution-workspaces/%s", json_str(ws, "id"));
        (void)api_request(d->c, "PATCH", one, json_pack("{s:s}", "status", "archived"));
        for (int tries = 0; tries < CLOSE_TRIES; tries++) {
            struct api_answer now = api_request(d->c, "GET", one, NULL);
            const char *state = json_str(json_object_get(now.json, "metadata"), "cleanupState");
            if (now.status == 200 && (state == NULL || strcmp(state, "pending") != 0)) break;
            nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000L}, NULL);
        }
    }
}

/* The report as a file beside the scripts; unless --keep, the worktree goes. */
static const char *put_report(struct demo *d, const char *branch, const char *text)
{
    struct arena *a = d->c->arena;
    const char *tree = arena_printf(a, "%s/worktrees/%s", d->folder, branch),
               *path = arena_printf(a, "%s/REPORT.md", d->folder);
    if (d->c->value[OPT_keep]) return arena_printf(a, "%s/REPORT.md", tree);
    FILE *f = fopen(path, "we");
    bool good = f && fprintf(f, "%s\n", text) > 0;
    if (f) good = fclose(f) == 0 && good;
    if (!good) return arena_printf(a, "%s/REPORT.md", tree);
    close_workspaces(d);
    return path;
}

/* Every issue done, none left or cancelled. */
static bool all_done(const struct demo *d)
{
    for (size_t i = 0; i < json_array_size(d->issues); i++) {
        const char *status = json_str(json_array_get(d->issues, i), "status");
        if (status == NULL || strcmp(status, "done") != 0) return false;
    }
    return json_array_size(d->issues) > 1; /* the goal was split */
}

static json_t *result_json(const struct demo *d, bool good, const char *branch, const char *path)
{
    json_t *issues = json_array(), *runs = json_array();
    for (size_t i = 0; i < json_array_size(d->issues); i++) {
        const json_t *it = json_array_get(d->issues, i);
        json_array_append_new(issues, json_pack("{s:s?, s:s?, s:s?, s:s?, s:s}", "identifier",
                                                json_str(it, "identifier"), "status", json_str(it, "status"), "title",
                                                json_str(it, "title"), "parentId", json_str(it, "parentId"), "assignee",
                                                demo_agent_name(d, json_str(it, "assigneeAgentId"))));
    }
    for (size_t i = json_array_size(d->runs); i-- > 0;) {
        const json_t *run = json_array_get(d->runs, i), *context = json_object_get(run, "contextSnapshot");
        json_array_append_new(runs,
                              json_pack("{s:s?, s:s, s:s?, s:s?, s:s?, s:I}", "id", json_str(run, "id"), "agent",
                                        demo_agent_name(d, json_str(run, "agentId")), "status", json_str(run, "status"),
                                        "wakeReason", json_str(context, "wakeReason"), "issueId",
                                        json_str(context, "issueId"), "durationMs", (json_int_t)span_ms(run)));
    }
    return json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:o, s:o}", "ok", good, "companyId", d->company_id,
                     "prefix", d->prefix, "goal", d->goal, "repo", d->repo, "branch", branch, "report", path,
                     "durationMs", (json_int_t)(clock_now() - d->started_at), "issues", issues, "runs", runs);
}

static void tell(struct demo *d, struct buf *out, bool good, const char *branch, const char *path)
{
    struct arena *a = d->c->arena;
    buf_putc(out, '\n');
    demo_print_tree(d, out, d->c->colour, 100);
    buf_puts(out, "\nRuns:\n");
    for (size_t i = json_array_size(d->runs); i-- > 0;) {
        const json_t *run = json_array_get(d->runs, i), *context = json_object_get(run, "contextSnapshot");
        const char *issue = json_str(demo_issue(d, json_str(context, "issueId")), "identifier"),
                   *reason = json_str(context, "wakeReason");
        buf_printf(out, "  %-13s %-8s %-26s %-10s %s\n", demo_agent_name(d, json_str(run, "agentId")),
                   issue ? issue : "-", reason ? reason : "-", json_str(run, "status"),
                   print_duration(a, span_ms(run)));
    }
    if (path) {
        buf_printf(out, "\nThe report: %s\n", path);
        buf_printf(out, "  also on branch %s of %s: git show %s:REPORT.md\n", branch, d->repo, branch);
    }
    buf_printf(out, "The company: %s/ (%s); to remove it: bulldog company delete %s --confirm %s --yes\n",
               api_base(d->c), d->prefix, d->prefix, d->prefix);
    if (!good)
        buf_printf(out, "\nNot everything was finished after %s.\n", print_duration(a, clock_now() - d->started_at));
}

static int finish(struct demo *d, bool over)
{
    struct buf out BUF_AUTO = {0};
    const char *branch = branch_of(d), *text = report_text(d, branch);
    const char *path = text ? put_report(d, branch, text) : NULL;
    bool good = over && all_done(d) && text;
    if (d->c->value[OPT_json]) print_json(&out, result_json(d, good, branch, path));
    else tell(d, &out, good, branch, path);
    return print_out(&out) && good ? 0 : 1;
}

int cmd_demo(struct cli *c)
{
    enum cli_end end;
    struct arena *own = c->arena;
    long seconds = TIMEOUT_SEC;
    if (c->value[OPT_timeout]) {
        char *rest;
        seconds = strtol(c->value[OPT_timeout], &rest, 10);
        if (*rest || seconds < 1 || seconds > 86400) return usage_error("--timeout: seconds from 1 to 86400");
    }
    err_t wrong = settings_load(own);
    if (wrong) return usage_error("%s", wrong->message);
    if (api_call(c, "GET", "/api/health", NULL, &end) == NULL) return cli_exit_code(end);

    struct demo d = {.c = c, .started_at = clock_now()};
    d.deadline = d.started_at + seconds * SECOND_MS;
    int rc = cli_exit_code(END_ERROR);
    if (demo_stage(&d)) {
        if (!c->value[OPT_json])
            printf("%s: %s works on %s in %s\nWatch it too: %s/\n\n", d.company_name, d.agent_name[0], d.goal, d.repo,
                   api_base(c));
        bool over = demo_watch(&d);
        rc = finish(&d, over);
    }
    c->arena = own;
    json_arena(own);
    arena_free(&d.rounds[0]);
    arena_free(&d.rounds[1]);
    return rc;
}
