/* tenant: ids in a row must name something of the same company (IS-7, GV-27). */
#ifndef BULLDOG_MODEL_TENANT_H
#define BULLDOG_MODEL_TENANT_H

#include "store/db.h"

/* OK when id is NULL or names a row of this table in the company; else
 * ERR_UNPROCESSABLE "<field> not found in company" with {field, id}. table is ours. */
err_t tenant_check(struct db *db, const char *table, const char *company_id, const char *field,
                   const char *id) MUST_CHECK;
err_t tenant_dangling(struct arena *a, const char *field, const char *id) MUST_CHECK;

#endif
