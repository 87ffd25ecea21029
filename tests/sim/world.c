/* world: the virtual clock, the random sources, the server's life and death. */
#include "sim.h"

#include "base/id.h"
#include "base/log.h"
#include "base/rare.h"
#include "base/settings.h"
#include "store/migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h> /* _exit */

#define EPOCH_MS INT64_C(1767225600000) /* 2026-01-01 */

struct sim sim;
static bool trace;
static const char *keep;
const struct actor board_actor = {
    .type = ACTOR_BOARD, .source = "local_implicit", .user_id = LOCAL_BOARD_USER, .instance_admin = true};

/* ---- chance ---- */

static uint64_t splitmix(uint64_t *s)
{
    uint64_t z = (*s += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t sim_random(void) { return splitmix(&sim.rng); }
int64_t below(int64_t n) { return (int64_t)(sim_random() % (uint64_t)n); }
bool chance(int64_t percent) { return below(100) < percent; }

/* Ids and retry delays: apart from the decisions, so that neither shifts the other. */
static void fill_random(void *p, size_t n)
{
    unsigned char *b = p;
    for (size_t i = 0; i < n; i++) b[i] = (unsigned char)splitmix(&sim.id_rng);
}

/* base/rare.h: one in eight of these is not as usual, one in thirty of the yes-or-no ones. */
static int64_t bend(const char *place, int64_t usual, int64_t least)
{
    (void)place;
    if (sim.calm || sim.plain) return usual;
    uint64_t r = splitmix(&sim.rare_rng);
    if (usual < least) return r % 30 == 0 ? least : usual;
    return r % 8 == 0 ? least + (int64_t)(r / 8 % (uint64_t)(usual - least + 1)) : usual;
}

int64_t rarely(int64_t n) { return (int64_t)(splitmix(&sim.rare_rng) % (uint64_t)n); }

static instant_t virtual_now(void) { return sim.now; }

/* ---- what happened ---- */

static void mix(const char *s)
{
    for (; *s; s++) sim.totals.digest = (sim.totals.digest ^ (unsigned char)*s) * 1099511628211u;
}

void decide(const char *fmt, ...)
{
    char *line = sim.decisions[sim.decision_count++ % DECISIONS_SHOWN];
    va_list ap;
    int n = snprintf(line, DECISION_CHARS, "%6" PRId64 " +%9.3fs ", sim.step, (double)(sim.now - sim.began) / 1000);
    va_start(ap, fmt);
    vsnprintf(line + n, DECISION_CHARS - (size_t)n, fmt, ap);
    va_end(ap);
    mix(line);
    if (trace) fprintf(stderr, "%s\n", line);
}

void broken(const char *rule, const char *fmt, ...)
{
    va_list ap;
    if (mutant == NULL) {
        int64_t from = sim.decision_count > DECISIONS_SHOWN ? sim.decision_count - DECISIONS_SHOWN : 0;
        fprintf(stderr, "\nseed %" PRIu64 " step %" PRId64 ": %s is broken: ", sim.seed, sim.step, rule);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fprintf(stderr, "\nthe last %d decisions:\n", (int)(sim.decision_count - from));
        for (int64_t i = from; i < sim.decision_count; i++)
            fprintf(stderr, "  %s\n", sim.decisions[i % DECISIONS_SHOWN]);
        fprintf(stderr, "again: ./dev sim --seed %" PRIu64 " --steps %" PRId64 "\n", sim.seed, sim.steps_max);
    } else {
        printf("%s", rule); /* who caught it */
    }
    fflush(NULL);
    if (keep) check_keep(keep);
    else place_leave();
    _exit(1);
}

static void must(const char *what, err_t e)
{
    if (e) broken("the simulator itself", "%s: %s", what, e->message);
}

/* ---- the server's life ---- */

static void on_poke(void *ctx)
{
    (void)ctx;
    sim.poked = true;
}

/* The engine's own reporting: here every trouble of a pass is a finding, unless we killed it. */
void engine_failed(struct engine *e, const char *pass, err_t err)
{
    (void)e;
    if (!sim.dead && !err->retry) broken("no pass may fail", "%s: %s", pass, err->message);
}

static void boot(void)
{
    struct engine *e = &sim.engine;
    memset(e, 0, sizeof *e);
    sim.dead = false;
    sim.poked = false;
    json_arena(&sim.life);
    must("open", store_open(&sim.life, sim.url, &sim.store));
    store_set_hooks(sim.store, &(struct store_hooks){.poke = on_poke});
    must("handle", db_open(&sim.life, sim.store, &sim.db));
    must("engine's handle", db_open(&sim.life, sim.store, &e->db));
    e->opt = (struct engine_options){.data_dir = "/sim", .store = sim.store};
    e->workspace_jobs = (struct jobs *)(void *)&sim; /* any but NULL: workspace.c knows its jobs */
    e->next_retry = e->next_timer = e->next_monitor = INSTANT_NONE;
    e->next_tick = sim.now + settings.tick_ms;
    store_set_statement_hook(sim.store, crash_hook, NULL);
}

/* Takes its place and the runs of its dead predecessor; it may die of this, too. */
static void enlist(void)
{
    struct engine *e = &sim.engine;
    int64_t adopted = 0;
    engine_unit(e);
    err_t err = engine_enlist(e, &adopted);
    if (err) {
        if (!sim.dead) broken("a start may not fail", "%s", err->message);
        return;
    }
    e->node.id = arena_strdup(&sim.life, e->node.id);
    if (adopted) decide("  adopted %d", (int)adopted);
    supervise_adopt(e);
    if (!sim.dead) engine_passes(e, sim.now);
}

static void shut(void)
{
    struct engine *e = &sim.engine;
    runner_drop_all();
    db_close(e->db);
    db_close(sim.db);
    store_close(sim.store);
    arena_free(&e->arena);
    json_arena(NULL);
    arena_free(&sim.arena);
    arena_free(&sim.life);
}

void world_reboot(void)
{
    while (sim.dead) {
        sim.armed = false;
        shut();
        sim.totals.crashes++;
        sim.now += below(4) == 0 ? below(10 * MINUTE_MS) : below(3 * SECOND_MS);
        boot();
        decide("reboot");
        check_always("a crash");
        if (!sim.calm && chance(15)) crash_arm();
        enlist();
        if (!sim.dead) check_always("a start");
    }
}

void world_step(void)
{
    sim.poked = false;
    engine_passes(&sim.engine, sim.now);
    if (!sim.dead) check_always("an engine step");
}

instant_t earliest(instant_t a, instant_t b)
{
    if (a == INSTANT_NONE) return b;
    return b == INSTANT_NONE || a < b ? a : b;
}

void world_calm_until(instant_t end)
{
    while (sim.now < end) {
        if (sim.poked || engine_due(&sim.engine) <= sim.now) {
            bool tick = sim.engine.next_tick <= sim.now;
            world_step();
            if (tick) check_liveness();
        } else if (!jobs_act() && !runner_act()) {
            instant_t due = earliest(engine_due(&sim.engine), earliest(runner_due(), jobs_due()));
            sim.now = due > sim.now ? due : sim.now + 1;
        }
        if (sim.dead) broken("the simulator itself", "died in calm weather");
    }
}

bool request(const char *what, err_t (*fn)(struct db *db, void *arg), void *arg)
{
    arena_reset(&sim.arena);
    json_arena(&sim.arena);
    db_use(sim.db, &sim.arena);
    err_t e = OK;
    for (int try = 0; try < DB_RETRY_MAX; try++) {
        e = db_begin(sim.db, sim.company);
        if (e == OK) e = fn(sim.db, arg);
        if (e == OK) e = db_commit(sim.db);
        if (e) db_rollback(sim.db);
        if (e == OK || !e->retry) break;
    }
    if (sim.dead) return false;
    if (e) {
        bool ours = (e->kind == ERR_INTERNAL || db_is_unique(e) || db_is_foreign(e) ||
                     (e->code && strcmp(e->code, "stale") == 0)) &&
                    !e->retry;
        if (ours) broken("no request may fail like this", "%s: %s", what, e->message);
        sim.totals.refusals++;
        decide("  refused: %.90s", e->message);
    }
    check_always(what);
    return e == OK;
}

void world_prepare(const char *postgres)
{
    struct arena a ARENA_AUTO = {0};
    struct store *store;
    struct db *db;
    int applied;
    sim.now = EPOCH_MS;
    clock_set_source(virtual_now);
    random_set_source(fill_random);
#ifdef BULLDOG_RARE
    rare_source = bend;
#endif
    sim.plain = true;
    log_setup(LOG_ERROR, 0);
    place_prepare(postgres);
    must("settings", settings_load(&a));
    json_arena(&a);
    must("open", store_open(&a, sim.url, &store));
    must("handle", db_open(&a, store, &db));
    must("migrate", migrate_up(db, &applied));
    check_open(sim.url);
    check_install();
    check_close();
    db_close(db);
    store_close(store);
    json_arena(NULL);
}

void world_open(void)
{
    static struct arena keeps;                                               /* what the settings point at */
    trace = getenv("SIM_TRACE") != NULL;                                     /* shows every decision */
    if (getenv("SIM_KEEP")) keep = arena_strdup(&keeps, getenv("SIM_KEEP")); /* where a failure leaves its database */
    clearenv();                                                              /* the settings are those of the seed */
    log_setup(mutant ? LOG_SILENT : LOG_ERROR, 0);
    sim.rng = sim.seed * 0x2545f4914f6cdd1du + 1;
    sim.id_rng = ~sim.seed;
    sim.rare_rng = sim.seed ^ 0x5eed;
    sim.began = sim.now = EPOCH_MS + (int64_t)(sim.seed % 1000) * DAY_MS;
    must("settings", settings_load(&keeps));
    settings.runs_max = 2 + below(8);
    settings.tick_ms = (10 + below(50)) * SECOND_MS;
    settings.dispatch_timeout_sec = 30 + below(570);
    settings.orphan_stale_sec = 30 + below(570);
    settings.incident_run_budget = 3 + below(4);
    settings.mention_wakes = chance(80);
    settings.run_log_dir = "/sim/logs";
    place_enter();
    check_open(sim.url);
    boot();
    json_arena(&sim.arena);
    db_use(sim.db, &sim.arena);
    must("the instance", instance_ensure(sim.db));
    board_setup();
    sim.plain = false;
    enlist();
}

void world_close(void)
{
    shut();
    check_close();
    place_leave();
}
