/* shim_kit: given a run, when it ends, then look at it. */
#include "shim_kit.h"

#include "base/json.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *shim_path;
const char *home;
bool shim_is_small;
static int n_runs;

/* given: a run of /bin/sh -c script, not yet started */
struct rig *given(const char *script)
{
    struct rig *r = calloc(1, sizeof *r);
    r->id = arena_printf(&r->a, "run-%d-%d", getpid(), ++n_runs);
    r->dir = arena_printf(&r->a, "%s/%s", home, r->id);
    r->argv[0] = "/bin/sh";
    r->argv[1] = "-c";
    r->argv[2] = script;
    r->env[0] = "PATH=/usr/local/bin:/usr/bin:/bin";
    r->env[1] = arena_printf(&r->a, "PAPERCLIP_RUN_ID=%s", r->id);
    r->env[2] = arena_printf(&r->a, "HOME=%s", home);
    r->link.fd = -1;
    r->spec = (struct shim_spec){
        .run_id = r->id,
        .argv = r->argv,
        .env = r->env,
        .cwd = home,
        .log_path = arena_printf(&r->a, "%s/logs/%s.ndjson", home, r->id),
    };
    return r;
}

void done(struct rig *r)
{
    shim_link_ack(&r->link);
    shim_link_close(&r->link);
    json_arena(NULL);
    arena_free(&r->a);
    free(r);
}

void must(err_t e)
{
    if (e) fail_msg("%s", e->message);
}

static void heard(void *ctx, const struct shim_msg *m)
{
    struct rig *r = ctx;
    if (m->news == SHIM_STATE) {
        r->started = true;
        r->state = m->state;
    }
    if (m->news == SHIM_PROGRESS) {
        r->progress = m->progress;
        r->n_progress++;
    }
    if (m->news == SHIM_ENDED) r->ended = true;
    if (m->news == SHIM_GONE) r->gone = true;
}

int64_t now_ms(void) { return (int64_t)(clock_mono_ns() / 1000000); }

void nap(int ms) { poll(NULL, 0, ms); }

void listen_now(struct rig *r) { must(shim_link_read(&r->a, &r->link, heard, r)); }

/* Listen until *what, or fail. */
void until(struct rig *r, const bool *what)
{
    for (int64_t end = now_ms() + WAIT_MS; !*what;) {
        struct pollfd p = {.fd = r->link.fd, .events = POLLIN};
        if (now_ms() > end) fail_msg("run %s: nothing heard for %d ms", r->id, WAIT_MS);
        poll(&p, 1, 100);
        listen_now(r);
        if (r->gone && !*what) fail_msg("run %s: the shim is gone", r->id);
    }
}

void start(struct rig *r) { must(shim_spawn(&r->a, shim_path, r->dir, &r->spec, &r->link)); }

void finish(struct rig *r)
{
    bool found;
    until(r, &r->ended);
    must(shim_exit_read(&r->a, r->dir, &r->exit, &found));
    assert_true(found);
}

void start_and_finish(struct rig *r)
{
    start(r);
    finish(r);
}

/* As a server does that goes down. */
void drop(struct rig *r)
{
    shim_link_close(&r->link);
    r->started = r->ended = r->gone = false;
}

char *file_text(struct arena *a, const char *path)
{
    struct buf b = {0};
    char part[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t n; fd >= 0 && (n = read(fd, part, sizeof part)) > 0;) buf_append(&b, part, (size_t)n);
    if (fd >= 0) close(fd);
    return buf_finish(&b, a);
}

/* The log's chunks of a stream, joined; seq must have no gap. */
char *log_of(struct rig *r, const char *stream, size_t *records)
{
    struct buf b = {0};
    char *text = file_text(&r->a, r->spec.log_path);
    int64_t seq = 0;
    size_t n = 0;
    json_arena(&r->a);
    for (char *line = text, *nl; (nl = strchr(line, '\n')); line = nl + 1) {
        json_t *j;
        instant_t ts;
        must(json_parse(&r->a, line, (size_t)(nl - line), &j));
        assert_int_equal(json_int(j, "seq", 0), ++seq);
        assert_true(instant_parse(json_str(j, "ts"), &ts));
        if (strcmp(json_str(j, "stream"), stream) != 0) continue;
        buf_puts(&b, json_str(j, "chunk"));
        n++;
    }
    assert_true(text[0] == '\0' || text[strlen(text) - 1] == '\n');
    if (records) *records = n;
    return buf_finish(&b, &r->a);
}

bool alive(pid_t pid)
{
    char path[64], text[1024] = "";
    struct proc_stat st;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    return n > 0 && proc_stat_parse(text, &st) && st.state != 'Z';
}

/* The number that the run's script left in file `name` of the home. */
pid_t pid_left_in(struct rig *r, const char *name)
{
    char *text = file_text(&r->a, arena_printf(&r->a, "%s/%s", home, name));
    assert_true(atoi(text) > 1);
    return atoi(text);
}

static int setup(void **unused)
{
    (void)unused;
    static char dir[] = "/tmp/bulldog-shim-XXXXXX";
    const char *kind = getenv("BULLDOG_SHIM_KIND");
    shim_is_small = kind == NULL || strcmp(kind, "static") == 0;
    shim_path = getenv("BULLDOG_SHIM");
    home = mkdtemp(dir);
    return shim_path && home ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    struct arena a ARENA_AUTO = {0};
    return system(arena_printf(&a, "rm -rf '%s'", home));
}

int rig_main(const struct CMUnitTest *tests, size_t n)
{
    json_setup();
    return _cmocka_run_group_tests("shim", tests, n, setup, teardown);
}
