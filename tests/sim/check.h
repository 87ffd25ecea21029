/* check: what the files of the checks share (check.c, check_rules.c, check_end.c). */
#ifndef BULLDOG_TESTS_SIM_CHECK_H
#define BULLDOG_TESTS_SIM_CHECK_H

#include "sim.h"

/* What a step may have touched; a rule is asked only when its rows may have changed. */
enum touched { ISSUE_TOUCHED = 1, RUN_TOUCHED = 2, WAKE_TOUCHED = 4, ANY_TOUCHED = 7 };

/* A query that gives the rows that break the rule; $1 is its limit. */
enum limit { NO_LIMIT, LIMIT_RUNS, LIMIT_INCIDENT };
struct check_rule {
    const char *name;
    int touched;
    const char *sql;
    enum limit limit;
};
extern const struct check_rule check_always_rules[], check_end_rules[];
extern const int check_always_count, check_end_count;

struct check_trigger {
    const char *name, *event, *when, *body; /* when NULL: always */
};
extern const struct check_trigger check_triggers[];
extern const int check_trigger_count;
extern const char check_tables[];

/* Runs fn with the checks' own eyes: not part of the world, never killed. */
void check_apart(err_t (*fn)(struct db *db, const char *arg), const char *arg);
err_t check_ask(struct db *db, const struct check_rule *r, const char *after) MUST_CHECK;

#endif
