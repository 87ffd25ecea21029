/*
 * place: where a seed's database is. SQLite: in this process's memory, made by
 * its parent (ram.c). PostgreSQL: a database of its own, copied from the one
 * that the parent made.
 */
#include "sim.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEMPLATE "sim_template"

static char server[200]; /* the URL up to the database's name; empty: SQLite */
static char name[40];

static void administrate(const char *fmt, const char *database)
{
    struct arena a ARENA_AUTO = {0};
    struct store *store;
    struct db *db;
    err_t e = store_open(&a, arena_printf(&a, "%s/postgres", server), &store);
    if (e == OK) e = db_open(&a, store, &db);
    if (e == OK) {
        db_use(db, &a);
        e = db_script(db, arena_printf(&a, fmt, database));
        db_close(db);
        store_close(store);
    }
    if (e) {
        fprintf(stderr, "sim: %s: %s\n", server, e->message);
        _exit(2);
    }
}

static void use(const char *database)
{
    snprintf(name, sizeof name, "%s", database);
    if (*server) snprintf(sim.url, sizeof sim.url, "%s/%s", server, database);
    else snprintf(sim.url, sizeof sim.url, "sim");
}

void place_prepare(const char *url)
{
    const char *slash = url ? strrchr(url, '/') : NULL;
    if (slash) {
        snprintf(server, sizeof server, "%.*s", (int)(slash - url), url);
        administrate("DROP DATABASE IF EXISTS %s", TEMPLATE);
        administrate("CREATE DATABASE %s", TEMPLATE);
    } else {
        ram_setup();
    }
    use(TEMPLATE);
}

void place_enter(void)
{
    char mine[40];
    if (*server == 0) return;
    snprintf(mine, sizeof mine, "sim_%ld", (long)getpid());
    use(mine);
    administrate("CREATE DATABASE %s TEMPLATE " TEMPLATE, mine);
}

void place_leave(void)
{
    if (*server) administrate("DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
}
