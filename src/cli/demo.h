/*
 * demo: a small company does one real job in a git repository while a person
 * watches. Three rooms: demo_stage sets the scene, demo_watch shows what goes on
 * until it is over, demo.c tells how it ended.
 */
#ifndef BULLDOG_CLI_DEMO_H
#define BULLDOG_CLI_DEMO_H

#include "base/buf.h"
#include "base/clock.h"
#include "cli/command.h"

enum { DEMO_AGENTS = 3, DEMO_REQUEST_PATIENCE_MS = 60000, DEMO_LINE_MAX = 256 };

struct demo {
    struct cli *c;
    instant_t started_at, deadline;
    const char *folder; /* of this demo: scripts, the worktree, perhaps the sample repository */
    const char *repo;
    const char *company_id, *prefix, *company_name, *project_id, *goal_id, *goal;
    const char *agent_id[DEMO_AGENTS], *agent_name[DEMO_AGENTS];
    /* the newest that is known, in the arena of the last round */
    struct arena rounds[2]; /* one in use, one being made */
    int round;
    json_t *issues, *runs;
    char last_line[DEMO_AGENTS][DEMO_LINE_MAX]; /* "": none yet */
};

/* A request that outlives a restart of the server: tried again for a minute while
 * nobody answers. Reports a failure and gives NULL. Writes must bear repeating. */
json_t *demo_call(struct demo *d, const char *method, const char *path, const json_t *body);

/* Makes folder, repository, company, agents, project and the goal issue. false: reported why. */
bool demo_stage(struct demo *d);
/* Until the goal is closed and nobody runs any more, or time is up. true: it is over. */
bool demo_watch(struct demo *d);

/* What demo_watch and the end both read. */
json_t *demo_issue(const struct demo *d, const char *id); /* NULL: unknown */
const char *demo_agent_name(const struct demo *d, const char *id);
/* The tree of the goal and its children, and the agents, as lines. */
void demo_print_tree(struct demo *d, struct buf *out, bool colour, int width);
/* Fetches issues and runs anew; false while the server is away. */
bool demo_refresh(struct demo *d);

#endif
