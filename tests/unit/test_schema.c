/*
 * schema: the entity tables (src/tables/entity_*.def) and the migrations say the
 * same. A field without a column, of another kind, or a column that no field
 * knows is a line forgotten in one of the two.
 */
#include "store_kit.h"

#include "store/entity.h"

#include <string.h>
#include <strings.h>

struct column {
    const char *name, *type;
};

static int columns_of(const char *table, struct column *out, int max)
{
    const char *sql = db_engine(db) == DB_SQLITE ? "SELECT name, type FROM pragma_table_info($1)"
                                                 : "SELECT column_name, data_type FROM information_schema.columns"
                                                   " WHERE table_schema = current_schema() AND table_name = $1";
    struct rows r ROWS_AUTO = {0};
    int n = 0;
    must(db_query(db, &r, sql, P(V_TEXT(table))));
    while (rows_next(&r)) {
        assert_true(n < max);
        out[n++] = (struct column){row_text(&r, 0), row_text(&r, 1)};
    }
    must(rows_err(&r));
    return n;
}

static const char *type_of(enum db_kind kind)
{
    static const char *const types[][2] = {
        [K_ID] = {"text", "uuid"},         [K_TEXT] = {"text", "text"},
        [K_INT] = {"integer", "bigint"},   [K_REAL] = {"real", "double precision"},
        [K_BOOL] = {"integer", "boolean"}, [K_TIME] = {"integer", "timestamp with time zone"},
        [K_JSON] = {"text", "jsonb"},
    };
    return types[kind][db_engine(db) == DB_POSTGRES];
}

static const struct column *column_named(const struct column *columns, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0) return &columns[i];
    return NULL;
}

static bool field_named(const struct entity *e, const char *name)
{
    for (int i = 0; i < e->count; i++)
        if (!(e->fields[i].flags & FF_CALC) && strcmp(e->fields[i].name, name) == 0) return true;
    return false;
}

/* How often the entity and its table disagree; each time is said. */
static int differences(const struct entity *e)
{
    struct column columns[96];
    int n = columns_of(e->table, columns, 96), wrong = 0;
    for (int i = 0; i < e->count; i++) {
        const struct field *f = &e->fields[i];
        const struct column *c = column_named(columns, n, f->name);
        bool calc = (f->flags & FF_CALC) != 0, fits = c && strcasecmp(c->type, type_of(f->kind)) == 0;
        if (calc ? c == NULL : fits) continue;
        print_message("%s.%s: the field wants %s, the column is %s\n", e->table, f->name,
                      calc ? "no column" : type_of(f->kind), c ? c->type : "not there");
        wrong++;
    }
    for (int i = 0; i < n; i++) {
        if (field_named(e, columns[i].name)) continue;
        print_message("%s.%s: a column that no field knows\n", e->table, columns[i].name);
        wrong++;
    }
    return wrong;
}

static void entities_and_tables_agree(void **state)
{
    int wrong = 0, entities = 0;
    (void)state;
    for (struct entity *const *e = ENTITIES; *e; e++, entities++) wrong += differences(*e);
    assert_int_equal(wrong, 0);
    assert_true(entities > 10);
}

/* The check itself can fail: a kind that does not fit, a field without a column, a column without a field. */
static void a_disagreement_is_found(void **state)
{
    struct field fields[32];
    struct entity doctored = ENTITY_label;
    (void)state;
    assert_true(ENTITY_label.count > 2 && ENTITY_label.count < 32);
    memcpy(fields, ENTITY_label.fields, sizeof *fields * (size_t)ENTITY_label.count);
    doctored.fields = fields;
    assert_int_equal(differences(&doctored), 0);
    fields[2].kind = K_BOOL;
    assert_int_equal(differences(&doctored), 1);
    fields[2].name = "no_such_column"; /* and its own column is now unknown */
    assert_int_equal(differences(&doctored), 2);
    doctored.table = "no_such_table";
    assert_int_equal(differences(&doctored), doctored.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_and_tables_agree),
        cmocka_unit_test(a_disagreement_is_found),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}
