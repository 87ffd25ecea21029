/* label: coloured names on issues. */
#include "model/label.h"

#include "base/id.h"

err_t label_get(struct db *db, const char *id, struct label *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_label, out, found, "WHERE id = $1", P(V_ID(id)));
}
