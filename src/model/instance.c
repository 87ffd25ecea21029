/* instance: standing rows, and this server as a node. */
#include "model/instance.h"

#include "base/id.h"
#include "base/settings.h"
#include "model/actor.h"
#include "model/company.h"
#include "model/environment.h"
#include "model/instance_settings.h"
#include "model/suppression.h"

#include <stdio.h>
#include <unistd.h>

err_t instance_ensure(struct db *db)
{
    struct company *rows;
    int n;
    TRY(db_begin(db, NULL));
    err_t e = company_list(db, &rows, &n);
    if (e == OK) e = environment_ensure(db);
    if (e == OK) e = instance_settings_ensure(db);
    if (e == OK) e = suppression_refresh(db);
    for (int i = 0; e == OK && i < n; i++) e = company_ensure_owner(db, rows[i].id, LOCAL_BOARD_USER);
    if (e == OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static const char *boot_id(struct arena *a)
{
    char line[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (f == NULL) return "unknown";
    if (fscanf(f, "%63s", line) != 1) line[0] = 0;
    fclose(f);
    return arena_strdup(a, line);
}

static instant_t lease_end(void) { return clock_now() + settings.node_lease_sec * SECOND_MS; }

err_t node_register(struct db *db, const char *data_dir, struct node *out)
{
    struct arena *a = db_arena(db);
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0) host[0] = 0;
    out->id = id_new(a);
    TRY(db_int(db, &out->epoch, 0, "SELECT max(epoch) FROM server_nodes", P()));
    out->epoch++;
    return db_exec_one(
        db,
        "INSERT INTO server_nodes (node_id, instance_id, hostname, pid, boot_id, data_dir, version, epoch, started_at, lease_expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        P(V_ID(out->id), V_TEXT(settings.instance_id), V_TEXT(host), V_INT(getpid()), V_TEXT(boot_id(a)),
          V_TEXT(data_dir), V_TEXT(BULLDOG_VERSION), V_INT(out->epoch), V_TIME(clock_now()), V_TIME(lease_end())));
}

err_t node_renew(struct db *db, const struct node *n)
{
    return db_exec_one(db, "UPDATE server_nodes SET lease_expires_at = $2 WHERE node_id = $1",
                       P(V_ID(n->id), V_TIME(lease_end())));
}

err_t node_leave(struct db *db, const struct node *n)
{
    int64_t rows;
    return db_exec(db, &rows, "UPDATE server_nodes SET lease_expires_at = $2, draining = true WHERE node_id = $1",
                   P(V_ID(n->id), V_TIME(clock_now())));
}

err_t node_adopt_runs(struct db *db, const struct node *n, const char *data_dir, int64_t *adopted)
{
    int64_t rows;
    TRY(db_exec(db, adopted,
                "UPDATE heartbeat_runs SET owner_node_id = $1, owner_epoch = $2, owner_lease_until = $3"
                " WHERE claimed_at IS NOT NULL AND closed_at IS NULL AND owner_node_id <> $1"
                " AND owner_node_id IN (SELECT node_id FROM server_nodes WHERE data_dir = $4 OR lease_expires_at < $5)",
                P(V_ID(n->id), V_INT(n->epoch), V_TIME(lease_end()), V_TEXT(data_dir), V_TIME(clock_now()))));
    /* what is left of nodes that are gone for good */
    return db_exec(
        db, &rows,
        "DELETE FROM server_nodes WHERE lease_expires_at < $1 AND node_id NOT IN"
        " (SELECT owner_node_id FROM heartbeat_runs WHERE claimed_at IS NOT NULL AND closed_at IS NULL AND owner_node_id IS NOT NULL)",
        P(V_TIME(clock_now() - HOUR_MS)));
}
