/* environments: where agents' processes run (WS §15); read only in this version. */
#include "api/handlers.h"
#include "model/environment.h"

err_t environments_list(struct req *r)
{
    struct environment *rows;
    int n;
    TRY(environment_list(r->db, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) environment_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t environment_show(struct req *r)
{
    struct environment e;
    bool found;
    TRY(environment_get(r->db, r->params[0], &e, &found));
    if (!found) return not_found(r, "Environment");
    environment_write(&r->w, &e);
    return OK;
}
