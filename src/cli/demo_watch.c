/*
 * demo_watch: follows the company until the goal is closed. Events say that
 * something changed; what is true is then read from the API, so a lost event or
 * a restarted server costs a moment and no more.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/api.h"
#include "cli/demo.h"
#include "cli/live.h"
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    TICK_MS = 250,
    SETTLE_MS = 30,
    SETTLE_MAX_MS = 150,
    LOOK_EVERY_MS = 2000,
    DRAW_EVERY_MS = 100,
    STILL_MAX_MS = 20000,
    SEEN_MAX = 64,
    SEEN_STATUS_SIZE = 24,
    LINE_MAX = 100
};

#define ERASE "\x1b[%dA\r\x1b[J" /* so many lines up, and everything below away */

/* What was already said of a run or an issue. */
struct seen {
    char id[40], status[SEEN_STATUS_SIZE];
};

struct view {
    struct demo *d;
    FILE *out; /* stderr when stdout is kept for JSON */
    bool in_place, colour, reached;
    instant_t looked_at;
    int lines_drawn;
    struct seen seen[SEEN_MAX];
    int seen_count;
};

/* ---- state ---- */

bool demo_refresh(struct demo *d)
{
    int next = 1 - d->round;
    arena_reset(&d->rounds[next]);
    d->c->arena = &d->rounds[next];
    json_arena(d->c->arena);
    const char *company = arena_printf(d->c->arena, "/api/companies/%s", d->company_id);
    struct api_answer issues = api_request(d->c, "GET", arena_printf(d->c->arena, "%s/issues", company), NULL);
    struct api_answer runs =
        api_request(d->c, "GET", arena_printf(d->c->arena, "%s/heartbeat-runs?limit=200", company), NULL);
    if (issues.status != 200 || runs.status != 200) return false;
    d->issues = issues.json;
    d->runs = runs.json;
    d->round = next;
    return true;
}

json_t *demo_issue(const struct demo *d, const char *id)
{
    for (size_t i = 0; id && i < json_array_size(d->issues); i++) {
        json_t *issue = json_array_get(d->issues, i);
        const char *it = json_str(issue, "id");
        if (it && strcmp(it, id) == 0) return issue;
    }
    return NULL;
}

static int agent_index(const struct demo *d, const char *id)
{
    for (int i = 0; id && i < DEMO_AGENTS; i++)
        if (strcmp(d->agent_id[i], id) == 0) return i;
    return -1;
}

const char *demo_agent_name(const struct demo *d, const char *id)
{
    int i = agent_index(d, id);
    return i < 0 ? "somebody" : d->agent_name[i];
}

static bool is_one_of(const char *status, const char *const words[])
{
    for (; status && *words; words++)
        if (strcmp(status, *words) == 0) return true;
    return false;
}
#define IS(status, ...) is_one_of((status), (const char *const[]){__VA_ARGS__, NULL})

/* Nobody is awake or about to be. */
static bool still(const struct demo *d)
{
    for (size_t i = 0; i < json_array_size(d->runs); i++)
        if (IS(json_str(json_array_get(d->runs, i), "status"), "queued", "running", "scheduled_retry")) return false;
    return true;
}

static bool over(const struct demo *d)
{
    if (!still(d)) return false;
    for (size_t i = 0; i < json_array_size(d->issues); i++)
        if (!IS(json_str(json_array_get(d->issues, i), "status"), "done", "cancelled")) return false;
    return json_array_size(d->issues) > 0;
}

/* The run that an agent is busy with, or NULL. */
static json_t *busy_run(const struct demo *d, int agent)
{
    for (size_t i = 0; i < json_array_size(d->runs); i++) {
        json_t *run = json_array_get(d->runs, i);
        if (agent_index(d, json_str(run, "agentId")) == agent && IS(json_str(run, "status"), "running")) return run;
    }
    return NULL;
}

static const char *run_issue(const struct demo *d, const json_t *run)
{
    const char *id = json_str(json_object_get(run, "contextSnapshot"), "issueId");
    const char *identifier = json_str(demo_issue(d, id), "identifier");
    return identifier ? identifier : "something";
}

static int64_t run_ms(const json_t *run)
{
    instant_t from, to;
    const char *started = json_str(run, "startedAt"), *finished = json_str(run, "finishedAt");
    if (started == NULL || !instant_parse(started, &from)) return 0;
    if (finished == NULL || !instant_parse(finished, &to)) to = clock_now();
    return to - from;
}

/* ---- lines that stay; on a terminal the picture stays below them ---- */

static void say(struct view *v, const char *who, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(struct view *v, const char *who, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(v->d->c->arena, fmt, ap);
    va_end(ap);
    int64_t ms = clock_now() - v->d->started_at;
    if (v->lines_drawn) fprintf(v->out, ERASE, v->lines_drawn); /* the picture moves down */
    v->lines_drawn = 0;
    fprintf(v->out, "%7.2f s  %-13s %s\n", (double)ms / 1000, who, text);
    fflush(v->out);
}

static struct seen *seen_of(struct view *v, const char *id)
{
    for (int i = 0; i < v->seen_count; i++)
        if (strcmp(v->seen[i].id, id) == 0) return &v->seen[i];
    return NULL;
}

/* true when this status of this thing is news; *before is then what was said last, or "". */
static bool news(struct view *v, const char *id, const char *status, char before[SEEN_STATUS_SIZE])
{
    struct seen *s = id ? seen_of(v, id) : NULL;
    if (id == NULL || status == NULL || (s == NULL && v->seen_count == SEEN_MAX)) return false;
    if (s == NULL) {
        s = &v->seen[v->seen_count++];
        snprintf(s->id, sizeof s->id, "%s", id);
    }
    memcpy(before, s->status, SEEN_STATUS_SIZE);
    snprintf(s->status, sizeof s->status, "%s", status);
    return strcmp(before, status) != 0;
}

/* A run may be over before it was seen awake; the story is told in full all the same. */
static void say_run(struct view *v, const json_t *run)
{
    struct demo *d = v->d;
    char before[SEEN_STATUS_SIZE];
    const char *status = json_str(run, "status"), *who = demo_agent_name(d, json_str(run, "agentId"));
    const char *reason = json_str(json_object_get(run, "contextSnapshot"), "wakeReason"),
               *error = json_str(run, "error");
    if (!news(v, json_str(run, "id"), status, before)) return;
    if (IS(status, "queued", "scheduled_retry")) {
        say(v, who, "will wake for %s: %s", run_issue(d, run), reason ? reason : "-");
        return;
    }
    if (!IS(before, "running") && json_str(run, "startedAt"))
        say(v, who, "is awake on %s: %s", run_issue(d, run), reason ? reason : "-");
    if (!IS(status, "running"))
        say(v, who, "run %s on %s after %s%s%s", status, run_issue(d, run), print_duration(d->c->arena, run_ms(run)),
            error ? ": " : "", error ? error : "");
}

static void say_news(struct view *v)
{
    struct demo *d = v->d;
    char before[SEEN_STATUS_SIZE];
    for (size_t i = json_array_size(d->runs); i-- > 0;) say_run(v, json_array_get(d->runs, i)); /* newest first */
    for (size_t i = 0; i < json_array_size(d->issues); i++) {
        const json_t *issue = json_array_get(d->issues, i);
        const char *status = json_str(issue, "status");
        if (news(v, json_str(issue, "id"), status, before))
            say(v, json_str(issue, "identifier"), "%s: %s", status, json_str(issue, "title"));
    }
}

/* ---- the picture that moves ---- */

/* One line of the picture, cut to the terminal; text holds no escape sequence. */
static void row(struct buf *out, int width, const char *tint, const char *text)
{
    size_t len = 0, left = strlen(text);
    for (int chars = 0; chars < width && left > 0; chars++) {
        size_t n = utf8_char(text + len, left);
        if (n == 0) n = 1;
        len += n;
        left -= n;
    }
    buf_printf(out, "%s%.*s%s\n", tint, (int)len, text, *tint ? "\x1b[0m" : "");
}

void demo_print_tree(struct demo *d, struct buf *out, bool colour, int width)
{
    struct arena *a = d->c->arena;
    const json_t *goal = demo_issue(d, d->goal_id);
    size_t children = json_array_size(d->issues), left = 0;
    for (size_t i = 0; i < children; i++)
        if (json_array_get(d->issues, i) != goal) left++;
    const char *status = json_str(goal, "status");
    buf_printf(out, "%-8s %s%-12s%s %s\n", d->goal, colour ? status_colour(status) : "", status ? status : "-",
               colour ? "\x1b[0m" : "", json_str(goal, "title") ? json_str(goal, "title") : "");
    for (int64_t number = 0; left > 0 && number < 10000; number++) {
        for (size_t i = 0; i < children; i++) {
            const json_t *issue = json_array_get(d->issues, i);
            if (issue == goal || json_int(issue, "issueNumber", -1) != number) continue;
            left--;
            status = json_str(issue, "status");
            const char *title = print_cell(a, json_object_get(issue, "title"), width > 50 ? (size_t)width - 40 : 20);
            buf_printf(out, "%s %-8s %s%-12s%s %s (%s)\n", left ? "├─" : "└─", json_str(issue, "identifier"),
                       colour ? status_colour(status) : "", status, colour ? "\x1b[0m" : "", title,
                       demo_agent_name(d, json_str(issue, "assigneeAgentId")));
        }
    }
}

static int width_of(const struct view *v)
{
    struct winsize size;
    return ioctl(fileno(v->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col : LINE_MAX;
}

static void draw(struct view *v, bool connected)
{
    struct demo *d = v->d;
    struct arena *a = d->c->arena;
    struct buf out BUF_AUTO = {0};
    int width = width_of(v) - 1;
    if (v->lines_drawn) buf_printf(&out, ERASE, v->lines_drawn);
    const char *state = connected ? "" : " · the server is away, waiting for it";
    row(&out, width, v->colour ? "\x1b[1m" : "",
        arena_printf(a, "%s (%s) · %s%s", d->company_name, d->prefix, print_duration(a, clock_now() - d->started_at),
                     state));
    for (int i = 0; i < DEMO_AGENTS; i++) {
        json_t *run = busy_run(d, i);
        const char *line = d->last_line[i];
        const char *text = run ? arena_printf(a, "● %-13s awake on %s · %s", d->agent_name[i], run_issue(d, run), line)
                               : arena_printf(a, "○ %-13s asleep%s%s", d->agent_name[i], *line ? " · " : "", line);
        row(&out, width, v->colour ? status_colour(run ? "running" : "idle") : "", text);
    }
    demo_print_tree(d, &out, v->colour, width);
    int lines = 0;
    for (size_t i = 0; i < out.len; i++) lines += out.data[i] == '\n';
    v->lines_drawn = lines;
    fwrite(out.data, 1, out.len, v->out);
    fflush(v->out);
}

/* ---- events ---- */

/* What is true now, and what is new in it. */
static bool look(struct view *v)
{
    bool again = demo_refresh(v->d);
    if (!again && v->reached) say(v, "server", "is away: waiting for it");
    if (again && !v->reached) say(v, "server", "is back");
    v->reached = again;
    v->looked_at = clock_now();
    if (again) say_news(v);
    return again;
}

static void say_lines(struct view *v, const char *run_id, const char *agent_id, char *chunk)
{
    struct demo *d = v->d;
    int agent = agent_index(d, agent_id);
    const struct seen *run = seen_of(v, run_id);
    if (run == NULL || !IS(run->status, "running")) (void)look(v); /* first that it is awake, then what it says */
    char *save = NULL;
    for (char *l = strtok_r(chunk, "\r\n", &save); agent >= 0 && l; l = strtok_r(NULL, "\r\n", &save)) {
        const char *clean = print_cell(d->c->arena, json_string(l), LINE_MAX);
        snprintf(d->last_line[agent], sizeof d->last_line[agent], "%s", clean);
        say(v, d->agent_name[agent], "| %s", clean);
    }
}

/* Looking anew may take the event's memory away, so it works on copies. */
static void take_line(struct view *v, const json_t *payload)
{
    const char *run_id = json_str(payload, "runId"), *agent_id = json_str(payload, "agentId"),
               *chunk = json_str(payload, "chunk");
    if (run_id == NULL || agent_id == NULL || chunk == NULL) return;
    char run[64], agent[64], *text = strdup(chunk);
    snprintf(run, sizeof run, "%s", run_id);
    snprintf(agent, sizeof agent, "%s", agent_id);
    if (text) say_lines(v, run, agent, text);
    free(text);
}

bool demo_watch(struct demo *d)
{
    const char *term = getenv("TERM");
    struct view v = {.d = d, .out = d->c->value[OPT_json] ? stderr : stdout, .colour = d->c->colour, .reached = true};
    v.in_place = !d->c->value[OPT_json] && d->c->wide && term && strcmp(term, "dumb") != 0;
    struct live *live = live_open(d->c, d->company_id);
    instant_t drawn_at = 0, changed_at = clock_now(), moved_at = changed_at;
    bool changed = true, finished = false;
    while (!finished && clock_now() < d->deadline) {
        json_t *event = live_next(live, changed ? SETTLE_MS : TICK_MS);
        const char *type = json_str(event, "type");
        instant_t now = clock_now();
        if (type && strcmp(type, "heartbeat.run.log") == 0) {
            take_line(&v, json_object_get(event, "payload"));
        } else if (event || live_fresh(live)) {
            if (!changed) changed_at = now;
            changed = true;
        }
        bool settled = changed && (event == NULL || now - changed_at > SETTLE_MAX_MS);
        if (settled || now - v.looked_at > LOOK_EVERY_MS) {
            bool again = look(&v);
            changed = false;
            finished = again && over(d);
            if (!again || !still(d)) moved_at = now;
        }
        if (now - moved_at > STILL_MAX_MS) {
            say(&v, "nobody", "has moved for %d s: giving up", STILL_MAX_MS / 1000);
            break;
        }
        if (v.in_place && (v.lines_drawn == 0 || now - drawn_at >= DRAW_EVERY_MS)) {
            draw(&v, v.reached);
            drawn_at = now;
        }
    }
    if (v.lines_drawn) fprintf(v.out, ERASE, v.lines_drawn); /* the end is told with the tree */
    live_close(live);
    return finished;
}
