/*
 * serve: starts the floors in order and stops them in reverse. The socket
 * listens first; recovery runs in the engine's own thread (EX-116).
 */
#include "cli/serve.h"

#include "adapter/shim_link.h"
#include "api/app.h"
#include "base/id.h"
#include "base/log.h"
#include "base/settings.h"
#include "engine/engine.h"
#include "model/instance.h"
#include "rules/recovery.h"
#include "store/migrate.h"
#include "workspace/cgroup.h"
#include "workspace/driver.h"
#include "workspace/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define WS_QUEUE_MAX ((size_t)1 << 20)
#define WS_PING_MS 30000
#define JOB_QUEUE_MAX 4096
#define SECRET_MIN 32

struct server {
    struct arena arena;
    const char *data_dir, *host, *jwt_secret;
    int port, lock_fd;
    struct store *store;
    struct jobs *jobs;
    struct hub *hub;
    struct engine *engine;
    struct app *app;
    struct http_server *http;
};

static const char usage[] =
    "Usage: bulldog serve [--listen ADDR:PORT] [--data-dir DIR] [--database URL] [--set KEY=VALUE]...\n\n"
    "  --listen ADDR:PORT   where to listen (default 127.0.0.1:3100; port 0 takes a free one)\n"
    "  --data-dir DIR       where everything is kept (default ~/.bulldog)\n"
    "  --database URL       postgres://... or a SQLite file (default: in the data directory)\n"
    "  --set KEY=VALUE      any setting; `bulldog settings` lists them\n";

/* ---- arguments ---- */

/* The setting a flag stands for and its value; advances *i past both. NULL: no such flag. */
static const char *flag_setting(struct arena *a, int argc, char **argv, int *i, const char **value)
{
    static const struct {
        const char *flag, *setting;
    } flags[] = {{"--listen", "server.listen"}, {"--data-dir", "server.dataDir"}, {"--database", "database.url"}};
    const char *arg = argv[*i];
    for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) {
        size_t n = strlen(flags[k].flag);
        if (strncmp(arg, flags[k].flag, n) != 0) continue;
        *value = arg[n] == '=' ? arg + n + 1 : arg[n] == 0 && *i + 1 < argc ? argv[++*i] : NULL;
        return *value ? flags[k].setting : NULL;
    }
    if (strcmp(arg, "--set") != 0 || *i + 1 >= argc) return NULL;
    char *pair = arena_strdup(a, argv[++*i]), *eq = strchr(pair, '=');
    if (eq == NULL) return NULL;
    *eq = 0;
    *value = eq + 1;
    return pair;
}

static err_t parse_args(struct server *s, int argc, char **argv)
{
    TRY(settings_load(&s->arena));
    for (int i = 0; i < argc; i++) {
        const char *value, *arg = argv[i], *setting = flag_setting(&s->arena, argc, argv, &i, &value);
        if (setting == NULL)
            return err_new(&s->arena, ERR_BAD_REQUEST, "serve: bad argument %s (see bulldog serve --help)", arg);
        TRY(settings_set(&s->arena, setting, value));
    }
    return OK;
}

/* "127.0.0.1:3100", "[::1]:3100" */
static err_t parse_listen(struct server *s)
{
    const char *l = settings.listen, *colon = strrchr(l, ':');
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;
    if (colon == NULL || end == colon + 1 || *end || port < 0 || port > 65535)
        return err_new(&s->arena, ERR_BAD_REQUEST, "server.listen: \"%s\" must be ADDRESS:PORT", l);
    const char *from = *l == '[' ? l + 1 : l, *to = *l == '[' ? strchr(l, ']') : colon;
    if (to == NULL) return err_new(&s->arena, ERR_BAD_REQUEST, "server.listen: \"%s\" lacks a closing bracket", l);
    s->host = arena_strndup(&s->arena, from, (size_t)(to - from));
    s->port = (int)port;
    if (strcmp(s->host, "localhost") == 0) s->host = "127.0.0.1";
    if (strcmp(s->host, "127.0.0.1") == 0 || strcmp(s->host, "::1") == 0) return OK;
    /* AO-2: whoever reaches the port would be the board */
    return err_new(
        &s->arena, ERR_BAD_REQUEST,
        "server.listen: %s is not a loopback address; without authentication the server listens on loopback only",
        s->host);
}

/* ---- the data directory ---- */

static err_t make_dir(struct arena *a, const char *path)
{
    char *p = arena_strdup(a, path);
    for (char *slash = strchr(p + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) *slash = 0;
        if (mkdir(p, 0700) != 0 && errno != EEXIST)
            return err_new(a, ERR_UNAVAILABLE, "cannot make the directory %s: %s", p, strerror(errno));
        if (slash == NULL) return OK;
        *slash = '/';
    }
}

/* One server per data directory (AO-112); the lock goes with the process. */
static err_t take_data_dir(struct server *s)
{
    struct arena *a = &s->arena;
    const char *dir = settings.data_dir, *home = getenv("HOME");
    if (strncmp(dir, "~/", 2) == 0) {
        if (home == NULL || *home == 0)
            return err_new(a, ERR_BAD_REQUEST, "server.dataDir: HOME is not set; give --data-dir");
        dir = arena_printf(a, "%s%s", home, dir + 1);
    }
    TRY(make_dir(a, dir));
    char *real = realpath(dir, NULL);
    if (real == NULL) return err_new(a, ERR_UNAVAILABLE, "cannot use the directory %s: %s", dir, strerror(errno));
    s->data_dir = arena_strdup(a, real);
    free(real);
    const char *lock = arena_printf(a, "%s/server.lock", s->data_dir);
    s->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) return err_new(a, ERR_UNAVAILABLE, "cannot open %s: %s", lock, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0) return OK;
    return err_new(a, ERR_CONFLICT, "another bulldog server uses the data directory %s", s->data_dir);
}

/* The secret of run tokens: the setting, or a key made once. There is no built-in default. */
static err_t load_secret(struct server *s)
{
    struct arena *a = &s->arena;
    char text[256] = "";
    s->jwt_secret = settings.jwt_secret;
    if (*s->jwt_secret) return OK;
    const char *dir = arena_printf(a, "%s/secrets", s->data_dir), *path = arena_printf(a, "%s/run-token.key", dir);
    TRY(make_dir(a, dir));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_new(a, ERR_UNAVAILABLE, "cannot open %s: %s", path, strerror(errno));
    bool ok = read(fd, text, sizeof text - 1) >= SECRET_MIN;
    if (!ok) {
        const char *fresh = random_hex(a, 32);
        snprintf(text, sizeof text, "%s", fresh);
        ok = pwrite(fd, fresh, strlen(fresh), 0) == (ssize_t)strlen(fresh) && fsync(fd) == 0;
    }
    close(fd);
    if (!ok) return err_new(a, ERR_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
    s->jwt_secret = arena_strdup(a, text);
    return OK;
}

/* ---- start and stop ---- */

static err_t open_database(struct server *s)
{
    struct arena *a = &s->arena;
    struct db *db;
    int applied;
    const char *url = *settings.database ? settings.database : arena_printf(a, "%s/bulldog.sqlite", s->data_dir);
    TRY(store_open(a, url, &s->store));
    TRY(db_open(a, s->store, &db));
    err_t e = migrate_up(db, &applied);
    if (e == OK) e = instance_ensure(db);
    db_close(db);
    return e;
}

static void on_publish(void *ctx, const struct db_event *events)
{
    struct server *s = ctx;
    for (const struct db_event *e = events; e; e = e->next)
        hub_publish(s->hub, e->id, e->company_id, e->type, e->created_at, e->payload);
}

static void on_poke(void *ctx)
{
    struct server *s = ctx;
    if (s->engine) engine_poke(s->engine);
}

static void publish_live(void *ctx, const char *company_id, const char *type, instant_t created_at, const char *payload)
{
    struct server *s = ctx;
    hub_publish(s->hub, 0, company_id, type, created_at, payload);
}

static bool has_listeners(void *ctx, const char *company_id)
{
    struct server *s = ctx;
    return hub_has_listeners(s->hub, company_id);
}

static err_t inspect_tree(struct arena *a, const char *cwd, const char *base_ref, struct tree_facts *out)
{
    return LOCAL_DRIVER.inspect(&(struct workspace_job){.arena = a}, cwd, base_ref, out);
}

static err_t find_orphans(struct arena *a, const struct workspace_names *n, bool apply, bool force, json_t **found)
{
    return orphans_find(&(struct workspace_job){.arena = a},
                        &(struct orphans_request){.roots = n->roots, .dirs = n->dirs, .held = n->held, .made = n->made, .apply = apply, .force = force},
                        found);
}

static int attached_runs(void *ctx)
{
    const struct server *s = ctx;
    return s->engine ? engine_attached(s->engine) : 0;
}

static const char *base_url(struct server *s)
{
    return arena_printf(&s->arena, strchr(s->host, ':') ? "http://[%s]:%d" : "http://%s:%d", s->host, s->port);
}

static err_t start_http(struct server *s)
{
    const struct app_options app = {.store = s->store,
                                    .hub = s->hub,
                                    .data_dir = s->data_dir,
                                    .jwt_secret = s->jwt_secret,
                                    .listen_host = s->host,
                                    .listen_port = s->port,
                                    .started_at = clock_now(),
                                    .inspect = inspect_tree,
                                    .orphans = find_orphans,
                                    .attached_runs = attached_runs,
                                    .ctx = s};
    const struct http_server_options o = {.host = s->host,
                                          .port = s->port,
                                          .threads = (int)settings.http_threads,
                                          .connections_max = (int)settings.connections_max,
                                          .idle_timeout_sec = 185,
                                          .jobs = s->jobs,
                                          .hub = s->hub};
    s->app = app_new(&app);
    const struct http_app callbacks = app_http(s->app);
    TRY(http_server_start(&s->arena, &o, &callbacks, &s->http));
    s->port = http_server_port(s->http);
    app_set_listen(s->app, s->host, s->port);
    return OK;
}

static err_t start_engine(struct server *s)
{
    const struct engine_options o = {.store = s->store,
                                     .jobs = s->jobs,
                                     .data_dir = s->data_dir,
                                     .publish = publish_live,
                                     .has_listeners = has_listeners,
                                     .live_ctx = s,
                                     .api_url = *settings.api_url ? settings.api_url : base_url(s),
                                     .jwt_secret = s->jwt_secret,
                                     .shim_path = shim_path_find(&s->arena),
                                     .cgroup_dir = cgroup_runs_dir(&s->arena),
                                     .listen_host = s->host,
                                     .listen_port = s->port};
    return engine_start(&s->arena, &o, &s->engine);
}

/* Thousands of runs need descriptors: as many as the hard limit allows. */
static void raise_limits(void)
{
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) != 0) return;
    lim.rlim_cur = lim.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &lim) != 0)
        log_warn("limits", "cannot raise the number of open files: %s", strerror(errno));
}

/* What a big answer took goes back to the system. Fewer heaps than threads would save a little more, but threads
 * that wait for each other's heap cost a third of the requests. */
static void bound_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
}

/* A word that nobody knows would quietly mean something. */
static err_t check_words(struct server *s)
{
    if (recovery_mode(settings.auto_recovery) != RECOVERY_MODES) return OK;
    return err_new(&s->arena, ERR_BAD_REQUEST, "execution.autoRecovery: \"%s\" must be full, surface_only or off",
                   settings.auto_recovery);
}

static err_t start(struct server *s)
{
    TRY(check_words(s));
    TRY(parse_listen(s));
    log_setup(log_level_parse(settings.log_level, LOG_INFO), -1);
    raise_limits();
    bound_memory();
    TRY(take_data_dir(s));
    TRY(load_secret(s));
    TRY(open_database(s));
    s->jobs = jobs_start((int)settings.job_threads, JOB_QUEUE_MAX);
    TRY(hub_start(&s->arena, WS_QUEUE_MAX, WS_PING_MS, &s->hub));
    store_set_hooks(s->store, &(struct store_hooks){.publish = on_publish, .poke = on_poke, .ctx = s});
    TRY(start_http(s));
    return start_engine(s);
}

static void stop(struct server *s)
{
    if (s->http) http_server_stop(s->http);
    struct engine *engine = s->engine;
    s->engine = NULL;
    if (engine) engine_stop(engine);
    if (s->hub) hub_stop(s->hub);
    if (s->jobs) jobs_stop(s->jobs);
    if (engine) engine_free(engine);
    if (s->app) app_free(s->app);
    if (s->store) store_close(s->store);
    if (s->lock_fd >= 0) close(s->lock_fd);
}

int serve_main(int argc, char **argv)
{
    struct server s = {.lock_fd = -1};
    sigset_t set;
    int sig = 0;
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    /* every thread inherits the mask; this one waits for the signals */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    json_arena(&s.arena);
    err_t e = parse_args(&s, argc, argv);
    if (e == OK) e = start(&s);
    if (e) {
        fprintf(stderr, "bulldog: %s\n", e->message);
    } else {
        printf("listening on %s\n", base_url(&s));
        fflush(stdout);
        log_info("server.started", "version=%s listen=%s:%d data_dir=%s", BULLDOG_VERSION, s.host, s.port, s.data_dir);
        while (sigwait(&set, &sig) != 0) {}
        log_info("server.stopping", "signal=%d", sig);
    }
    stop(&s);
    arena_free(&s.arena);
    return e ? 1 : 0;
}
