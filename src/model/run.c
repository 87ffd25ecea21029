/* run: one execution of an agent. */
#include "model/run.h"

#include "base/id.h"

err_t run_get(struct db *db, const char *id, struct run *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_run, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t run_data_get(struct db *db, const char *run_id, struct run_data *out)
{
    bool found;
    entity_init(&ENTITY_run_data, out);
    return entity_one(db, &ENTITY_run_data, out, &found, "WHERE run_id = $1", P(V_ID(run_id)));
}

void run_write_raw(struct jw *w, const struct run *run, const struct run_data *data)
{
    entity_write(w, &ENTITY_run, run, VIEW_FULL);
    entity_write(w, &ENTITY_run_data, data, VIEW_FULL);
}
