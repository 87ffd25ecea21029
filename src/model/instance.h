/* instance: what must exist before the first request (AO-3), and the server's own rows (AO-220). */
#ifndef BULLDOG_MODEL_INSTANCE_H
#define BULLDOG_MODEL_INSTANCE_H

#include "store/db.h"

/* The local board user is an owner of every company; there is a Local environment. */
err_t instance_ensure(struct db *db) MUST_CHECK;

struct node {
    const char *id; /* fresh per start */
    int64_t epoch;  /* fencing token: grows with every start */
};
/* Registers this process; *dead_before: nodes of this data directory, all dead since we hold its lock. */
err_t node_register(struct db *db, const char *data_dir, struct node *out) MUST_CHECK;
/* Extends the lease; ERR_CONFLICT when another process took the node away. */
err_t node_renew(struct db *db, const struct node *n) MUST_CHECK;
err_t node_leave(struct db *db, const struct node *n) MUST_CHECK;
/* Runs of dead nodes (ours of before, or with an expired lease) become this node's. */
err_t node_adopt_runs(struct db *db, const struct node *n, const char *data_dir, int64_t *adopted) MUST_CHECK;

#endif
