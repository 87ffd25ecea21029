/* tenant: checking ids against their company. */
#include "model/tenant.h"

#include "base/id.h"
#include "base/json.h"

err_t tenant_dangling(struct arena *a, const char *field, const char *id)
{
    return err_with(a, ERR_UNPROCESSABLE, NULL, json_text(a, json_pack("{s:s, s:s}", "field", field, "id", id)),
                    "%s not found in company", field);
}

err_t tenant_check(struct db *db, const char *table, const char *company_id, const char *field, const char *id)
{
    struct arena *a = db_arena(db);
    int64_t n = 0;
    if (id == NULL) return OK;
    if (id_valid(id))
        TRY(db_int(db, &n, 0, arena_printf(a, "SELECT count(*) FROM %s WHERE id = $1 AND company_id = $2", table),
                   P(V_ID(id), V_ID(company_id))));
    return n == 1 ? OK : tenant_dangling(a, field, id);
}
