/*
 * sim: the command. Each seed runs in a process of its own.
 *
 *   sim --seed N [--steps M]           one seed, as it was
 *   sim --seeds K [--seed FIRST]       K seeds from FIRST (1), one line of totals
 *   sim --seconds S [--seed FIRST]     as many as fit
 *   sim --postgres …                   the same on the server that DATABASE_URL names
 *   sim --regressions FILE             the seeds that once found something
 *   sim --traces                       the worked traces of the specification
 *   sim --mutants                      each guard taken out must be caught by some seed
 */
#include "sim.h"

#include "base/id.h"
#include "base/settings.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS_DEFAULT 600
/* The longest chain of retries is over by then, every daily cap has lifted once, and work that rests has been
 * reviewed three times, a day apart (EX-152). */
#define CALM_MS (100 * HOUR_MS)
#define QUIET_MS (12 * HOUR_MS) /* then nothing may be written any more (INV-33) */
#define MUTANT_SEEDS 60
#define TRACE (-1) /* instead of steps: the seed is a trace's number */

/* ---- one seed ---- */

static void pass_time(void)
{
    int64_t p = below(100);
    if (p < 55) sim.now += below(2 * SECOND_MS);
    else if (p < 85) {
        instant_t due = earliest(engine_due(&sim.engine), earliest(runner_due(), jobs_due()));
        if (due > sim.now) sim.now = due;
    } else sim.now += below(p < 97 ? 2 * MINUTE_MS : 40 * MINUTE_MS);
}

static void storm_step(void)
{
    bool due = engine_due(&sim.engine) <= sim.now;
    pass_time();
    if (!sim.armed && chance(4)) crash_arm();
    if (chance(1)) {
        decide("power off");
        sim.dead = true;
    } else if (chance(60) && jobs_act()) {
    } else if ((sim.poked && chance(60)) || (due && chance(60))) world_step();
    else if (!chance(45) || !runner_act()) board_act();
    world_reboot();
}

static void run_seed(void)
{
    world_open();
    world_reboot();
    for (sim.step = 1; sim.step <= sim.steps_max; sim.step++) storm_step();
    sim.totals.storm_ms = sim.now - sim.began;
    sim.armed = false;
    sim.calm = true;
    sim.calm_outcome = (int)below(4); /* from now on all agents succeed, or all fail in the same way */
    board_quiet();
    runner_calm();
    world_calm_until(sim.now + HOUR_MS);
    settings.tick_ms = 15 * MINUTE_MS; /* the same passes, less often: only time is left to pass */
    world_calm_until(sim.now + CALM_MS);
    int64_t volume = check_volume();
    world_calm_until(sim.now + QUIET_MS);
    if (check_volume() != volume)
        broken("INV-33", "%d rows were added while nobody did anything", (int)(check_volume() - volume));
    check_end();
    sim.totals.digest ^= check_digest();
    sim.totals.seeds = 1;
    sim.totals.steps = sim.steps_max;
    sim.totals.virtual_ms = sim.now - sim.began;
    world_close();
}

/* ---- many seeds ---- */

static void add(struct totals *sum, const struct totals *t)
{
    sum->seeds += t->seeds;
    sum->failed += t->failed;
    sum->steps += t->steps;
    sum->virtual_ms += t->virtual_ms;
    sum->storm_ms += t->storm_ms;
    sum->recoveries += t->recoveries;
    sum->cpu_us += t->cpu_us;
    sum->crashes += t->crashes;
    sum->wakes += t->wakes;
    sum->runs += t->runs;
    sum->refusals += t->refusals;
    sum->digest ^= t->digest;
}

/* says: what the seed's process printed, for mutants the rule that caught it. */
static struct totals try_seed(uint64_t seed, int64_t steps, char *says, size_t n)
{
    struct totals t = {.seeds = 1, .failed = 1};
    int fd[2], out[2], status = 0;
    if (pipe(fd) != 0 || pipe(out) != 0) abort();
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        if (says) dup2(out[1], 1);
        if (says) dup2(open("/dev/null", O_WRONLY), 2);
        sim.seed = seed;
        sim.steps_max = steps;
        if (steps == TRACE) trace_play((int)seed);
        else run_seed();
        sim.totals.cpu_us = (int64_t)clock() * 1000000 / CLOCKS_PER_SEC;
        _exit(write(fd[1], &sim.totals, sizeof sim.totals) == sizeof sim.totals ? 0 : 2);
    }
    close(fd[1]);
    close(out[1]);
    struct totals got;
    if (read(fd[0], &got, sizeof got) == sizeof got) t = got;
    ssize_t len = says ? read(out[0], says, n - 1) : 0;
    if (says) says[len > 0 ? len : 0] = 0;
    close(fd[0]);
    close(out[0]);
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) t.failed = 1;
    if (WIFSIGNALED(status) && says == NULL)
        fprintf(stderr, "seed %" PRIu64 " died of signal %d; again: ./dev sim --seed %" PRIu64 " --steps %" PRId64 "\n",
                seed, WTERMSIG(status), seed, steps);
    if (WIFSIGNALED(status) && says) snprintf(says, n, "an assertion");
    return t;
}

static int report(const struct totals *t)
{
    double days = (double)t->virtual_ms / (double)DAY_MS, minutes = (double)t->cpu_us / 60e6;
    printf("sim: %" PRId64 " seeds, %" PRId64
           " failed; %d agents, %.1f virtual days (%.1f of them under faults), %" PRId64 " steps, %" PRId64
           " crashes, %" PRId64 " wakes, %" PRId64 " runs, %" PRId64 " recoveries, %" PRId64
           " refusals; %.0f days per CPU minute; digest %016" PRIx64 "\n",
           t->seeds, t->failed, AGENTS, days, (double)t->storm_ms / (double)DAY_MS, t->steps, t->crashes, t->wakes,
           t->runs, t->recoveries, t->refusals, minutes > 0 ? days / minutes : 0, t->digest);
    return t->failed || t->seeds == 0 ? 1 : 0;
}

static uint64_t seconds_since(uint64_t began) { return (clock_mono_ns() - began) / 1000000000u; }

static int run_seeds(uint64_t first, int64_t count, int64_t steps, uint64_t seconds)
{
    struct totals sum = {0};
    uint64_t began = clock_mono_ns();
    for (int64_t i = 0; i < count && (seconds == 0 || seconds_since(began) < seconds); i++) {
        struct totals t = try_seed(first + (uint64_t)i, steps, NULL, 0);
        add(&sum, &t);
    }
    return report(&sum);
}

/* A line: seed, steps, and what it was. */
static int run_regressions(const char *path)
{
    struct totals sum = {0};
    char line[400];
    uint64_t seed;
    int64_t steps;
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        return 2;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%" SCNu64 " %" SCNd64, &seed, &steps) != 2) continue;
        struct totals t = try_seed(seed, steps, NULL, 0);
        add(&sum, &t);
    }
    fclose(f);
    return report(&sum);
}

static int run_traces(void)
{
    struct totals sum = {0};
    for (int i = 0; i < trace_count(); i++) {
        struct totals t = try_seed((uint64_t)i, TRACE, NULL, 0);
        add(&sum, &t);
    }
    return report(&sum);
}

static int run_mutants(int64_t steps, const char *only)
{
    int missed = 0, tried = 0;
    for (int i = 0; i < mutant_count(); i++) {
        char rule[200] = "";
        uint64_t seed = 1;
        if (only && strcmp(only, mutant_name(i)) != 0) continue;
        tried++;
        mutant = mutant_name(i);
        for (; seed <= MUTANT_SEEDS; seed++)
            if (try_seed(seed, steps, rule, sizeof rule).failed) break;
        bool caught = seed <= MUTANT_SEEDS;
        missed += !caught;
        if (caught) printf("%-24s seed %-3" PRIu64 " %-20s %s\n", mutant, seed, rule, mutant_help(i));
        else printf("%-24s NOT CAUGHT by %d seeds: %s\n", mutant, MUTANT_SEEDS, mutant_help(i));
        fflush(stdout);
    }
    printf("sim: %d mutants, %d not caught\n", tried, missed);
    return missed || tried == 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, seconds = 0;
    int64_t steps = STEPS_DEFAULT, count = 1;
    const char *regressions = NULL, *only = NULL, *postgres = NULL;
    bool mutants = false, traces = false;
    if (sodium_init() < 0) return 2;
    json_setup();
    entity_setup();
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--mutants") == 0) mutants = true;
        else if (strcmp(argv[i], "--traces") == 0) traces = true;
        else if (strcmp(argv[i], "--postgres") == 0) postgres = getenv("DATABASE_URL");
        else if (value && strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[++i], NULL, 10);
        else if (value && strcmp(argv[i], "--seeds") == 0) count = strtoll(argv[++i], NULL, 10);
        else if (value && strcmp(argv[i], "--steps") == 0) steps = strtoll(argv[++i], NULL, 10);
        else if (value && strcmp(argv[i], "--regressions") == 0) regressions = argv[++i];
        else if (value && strcmp(argv[i], "--mutant") == 0) mutants = (only = argv[++i]) != NULL;
        else if (value && strcmp(argv[i], "--seconds") == 0) {
            seconds = strtoull(argv[++i], NULL, 10);
            count = INT64_MAX;
        } else {
            fprintf(
                stderr,
                "usage: sim [--seed N] [--seeds K | --seconds S] [--steps M] [--postgres] | --regressions FILE | --traces | --mutants | --mutant NAME\n");
            return 2;
        }
    }
    world_prepare(postgres);
    if (traces) return run_traces();
    if (mutants) return run_mutants(steps, only);
    return regressions ? run_regressions(regressions) : run_seeds(seed, count, steps, seconds);
}
