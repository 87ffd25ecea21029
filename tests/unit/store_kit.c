/* store_kit: opening and removing the database of a test program. */
#include "store_kit.h"

#include "base/json.h"
#include "store/entity.h"
#include "store/migrate.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

struct arena arena;
struct store *store;
struct db *db;

static char dir[] = "/tmp/bulldog-test-store-XXXXXX";

void must_at(err_t e, int line)
{
    if (e) print_error("line %d: %s\n", line, e->message);
    assert_null(e);
}

int open_store(void **state)
{
    const char *url = getenv("DATABASE_URL");
    int applied = 0;
    (void)state;
    assert_true(sodium_init() >= 0);
    json_setup();
    json_arena(&arena);
    entity_setup();
    if (url == NULL) {
        assert_non_null(mkdtemp(dir));
        url = arena_printf(&arena, "%s/test.sqlite", dir);
    }
    must(store_open(&arena, url, &store));
    must(db_open(&arena, store, &db));
    db_use(db, &arena);
    must(migrate_up(db, &applied));
    assert_true(applied > 0);
    return 0;
}

int close_store(void **state)
{
    (void)state;
    db_close(db);
    store_close(store);
    if (getenv("DATABASE_URL") == NULL) {
        static const char *const files[] = {"test.sqlite", "test.sqlite-wal", "test.sqlite-shm"};
        for (size_t i = 0; i < 3; i++) unlink(arena_printf(&arena, "%s/%s", dir, files[i]));
        rmdir(dir);
    }
    arena_free(&arena);
    return 0;
}
