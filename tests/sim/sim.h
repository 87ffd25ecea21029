/*
 * sim: the deterministic simulator. The real rules, model, store (SQLite) and
 * engine passes run under a virtual clock and one seeded random source; only
 * what shims do is faked (runner.c). A seed drives a random board and random
 * agents and kills the server between any two statements; after every step the
 * rules named INV-n in the files below are checked (check.c).
 *
 * One seed is one process, so that a seed alone and a seed in a row are the same.
 */
#ifndef BULLDOG_TESTS_SIM_H
#define BULLDOG_TESTS_SIM_H

#include "engine/engine_internal.h"
#include "model/actor.h"

#define DECISIONS_SHOWN 40
#define DECISION_CHARS 160
#define ISSUES_MAX 400
#define AGENTS 20
#define PROCS_MAX 64
#define COMMENTS_MAX 4000
#define ID_SIZE 40

/* What one seed came to; sent from the seed's process to the first one. */
struct totals {
    int64_t seeds, failed, steps, virtual_ms, storm_ms, crashes, wakes, runs, recoveries, refusals;
    int64_t cpu_us;
    uint64_t digest; /* of all decisions and the final rows: equal seeds, equal digests */
};

/* An agent process under its shim: it lives on when the server dies. */
struct proc {
    bool used;
    char run_id[ID_SIZE], agent_id[ID_SIZE], issue_id[ID_SIZE];
    bool takes_lock;
    bool cancel_asked;
    bool ended;   /* its exit record is there */
    bool gone;    /* it vanished with its supervisor: no record */
    bool unheard; /* the word of its end was lost on the way: the record waits */
    instant_t acts_at, ends_at;
    int acts_left;
    int outcome; /* enum outcome of runner.c */
};

/* What agents do in a trace: no chance. */
struct script {
    bool on;
    const char *closes;  /* the one issue that its run closes; NULL: every run does */
    const char *outcome; /* NULL: succeeds */
};

struct sim {
    uint64_t seed;
    int64_t steps_max, step;
    uint64_t rng, id_rng, rare_rng;
    instant_t now, began;
    bool calm; /* the faults have stopped */
    int calm_outcome;
    struct script script;

    struct arena arena; /* of the current unit of work outside the engine */
    struct arena life;  /* of this server process */
    struct store *store;
    struct db *db;
    struct engine engine;
    char url[256]; /* of the database */

    bool armed, dead; /* crash.c */
    bool plain;       /* nothing rare now: the world is being made, or looked at */
    int64_t kill_in;  /* statements left to live */
    bool poked;

    char company[ID_SIZE], project[ID_SIZE];
    char agents[AGENTS][ID_SIZE];
    char issues[ISSUES_MAX][ID_SIZE];
    char comments[COMMENTS_MAX][ID_SIZE]; /* accepted with a wake (INV-17) */
    int agent_count, issue_count, comment_count;
    struct proc procs[PROCS_MAX];

    struct totals totals;
    char decisions[DECISIONS_SHOWN][DECISION_CHARS];
    int64_t decision_count;
};
extern struct sim sim;

/* world.c */
uint64_t sim_random(void);
int64_t rarely(int64_t n); /* 0 … n-1, apart from the decisions: for what happens inside a statement */
int64_t below(int64_t n);  /* 0 … n-1 */
bool chance(int64_t percent);
void decide(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Ends this seed's process, telling seed, step, rule and the last decisions. */
_Noreturn void broken(const char *rule, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_prepare(
    const char *postgres); /* once, before the seeds' processes: the database that each of them begins with */
void world_open(void);     /* one company, agents */
void world_reboot(void);   /* after a crash: everything in memory is gone */
void world_close(void);
instant_t earliest(instant_t a, instant_t b);
void world_calm_until(instant_t end); /* whatever is due, in order, until then */
void world_step(void);                /* the engine looks at what is due, as after a poke or a timer */
/* One request: fn in a transaction. What it answers is its caller's, save errors that no request may cause. */
bool request(const char *what, err_t (*fn)(struct db *db, void *arg), void *arg);
extern const struct actor board_actor;

/* board.c: one random thing that people do. */
void board_setup(void);
void board_act(void);
void board_quiet(void); /* no more timers, all agents resumed */
/* What an agent may do with an issue during its run, too. */
bool patch_issue(const struct actor *actor, const char *issue_id);
bool comment_issue(const struct actor *actor, const char *issue_id);
bool create_issue(const struct actor *actor, const char *parent_id);
bool checkout_issue(const struct actor *actor, const char *agent_id, const char *issue_id);
bool release_issue(const struct actor *actor, const char *issue_id);
bool set_status(const struct actor *actor, const char *issue_id, const char *status);

/* runner.c: agents at work; stands in for launch, supervise and collect. */
bool runner_act(void);      /* one process does its next thing; false: none is due */
instant_t runner_due(void); /* when the next one is, or INSTANT_NONE */
void runner_calm(void);     /* what hangs is ended by somebody */
void runner_vanish(void);   /* every process, with its supervisor, at once */
void runner_drop_all(void); /* the server's memory of them goes */

/* workspace.c: the job pool, with a driver of workspaces that only says what it did. */
bool jobs_act(void); /* one job is done; false: none is due */
instant_t jobs_due(void);
void jobs_drop_all(void);

/* crash.c */
err_t crash_hook(void *ctx, struct arena *a, const char *sql);
void crash_arm(void);

/* place.c: the seed's database. url: of a PostgreSQL server; NULL: in memory. */
void place_prepare(const char *url);
void place_enter(void);
void place_leave(void);
/* ram.c: where SQLite keeps its files here. */
void ram_setup(void);

/* check.c, check_end.c */
void check_open(const char *url);
void check_close(void);
bool check_own(const struct db *db); /* is it the checks' handle? */
void check_keep(const char *path);   /* leaves a copy of the database there (SQLite) */
void check_install(void);            /* triggers that see every single change */
void check_always(const char *after);
void check_liveness(void); /* in calm weather: nothing is without a path for too long (INV-21) */
void check_end(void);      /* what must be true some time after the faults stopped */
uint64_t check_digest(void);
void check_sql(err_t (*fn)(struct db *db, const char *sql), const char *sql); /* a question of a trace */
/* Rows that anybody could add: wakes, runs, comments, activity (INV-10, INV-33). */
int64_t check_volume(void);

/* traces.c: the worked traces of the specification; in a process of their own, as a seed. */
int trace_count(void);
void trace_play(int n);

/* mutants.c: one guard at a time taken out, between the rooms that use it. */
extern const char *mutant;
int mutant_count(void);
const char *mutant_name(int i);
const char *mutant_help(int i);

#endif
