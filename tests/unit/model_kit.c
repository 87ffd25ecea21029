/* model_kit: an empty, migrated database for tests of the model. */
#include "unit.h"

#include "model_kit.h"

#include "base/id.h"
#include "model/company.h"
#include "store/migrate.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

struct arena kit_arena;
struct db *kit_db;
const struct actor kit_board = {
    .type = ACTOR_BOARD, .source = "local_implicit", .user_id = LOCAL_BOARD_USER, .instance_admin = true};

static struct store *store;
static char dir[] = "/tmp/bulldog-test-model-XXXXXX";
static int statements;

void kit_must(err_t e, int line)
{
    if (e) print_error("line %d: %s\n", line, e->message);
    assert_null(e);
}

static err_t count(void *ctx, struct arena *a, const char *sql)
{
    (void)ctx;
    (void)a;
    (void)sql;
    statements++;
    return OK;
}

int kit_statements(void)
{
    int n = statements;
    statements = 0;
    return n;
}

int kit_open(void **state)
{
    const char *url = getenv("DATABASE_URL");
    int applied = 0;
    (void)state;
    assert_true(sodium_init() >= 0);
    json_setup();
    json_arena(&kit_arena);
    entity_setup();
    if (url == NULL) {
        assert_non_null(mkdtemp(dir));
        url = arena_printf(&kit_arena, "%s/test.sqlite", dir);
    }
    must(store_open(&kit_arena, url, &store));
    must(db_open(&kit_arena, store, &kit_db));
    db_use(kit_db, &kit_arena);
    must(migrate_up(kit_db, &applied));
    assert_true(applied > 0);
    store_set_statement_hook(store, count, NULL);
    return 0;
}

int kit_close(void **state)
{
    static const char *const files[] = {"test.sqlite", "test.sqlite-wal", "test.sqlite-shm"};
    (void)state;
    db_close(kit_db);
    store_close(store);
    for (size_t i = 0; i < 3; i++) unlink(arena_printf(&kit_arena, "%s/%s", dir, files[i]));
    rmdir(dir);
    arena_free(&kit_arena);
    return 0;
}

struct company kit_company(void)
{
    struct company c;
    entity_init(&ENTITY_company, &c);
    c.name = arena_printf(&kit_arena, "Kit %s", random_hex(&kit_arena, 4));
    must(db_begin(kit_db, NULL));
    must(company_create(kit_db, &kit_board, &c));
    must(db_commit(kit_db));
    return c;
}

struct agent kit_agent(const struct company *c, const char *name)
{
    struct agent a;
    entity_init(&ENTITY_agent, &a);
    a.id = id_new(&kit_arena);
    a.company_id = c->id;
    a.name = a.url_key = name;
    a.role = "general";
    a.status = "idle";
    a.adapter_type = "process";
    a.adapter_config = a.runtime_config = a.permissions = "{}";
    a.created_at = a.updated_at = clock_now();
    must(db_begin(kit_db, c->id));
    must(entity_insert(kit_db, &ENTITY_agent, &a));
    must(db_commit(kit_db));
    return a;
}
