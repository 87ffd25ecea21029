/* issue_reads: what agents and people read about an issue besides itself (IS §20). */
#include "api/handlers.h"
#include "model/activity.h"
#include "model/issue_detail.h"

err_t issue_heartbeat_context(struct req *r)
{
    return issue_heartbeat_write(r->db, &r->w, &r->issue, query(r, "wakeCommentId"));
}

err_t issue_activity(struct req *r)
{
    struct activity *rows;
    int n;
    TRY(activity_list(r->db,
                      &(struct activity_filter){.company_id = r->company_id,
                                                .entity_type = "issue",
                                                .entity_id = r->issue.id,
                                                .limit = query_limit(r, "limit", 500, 1000)},
                      &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        jw_obj(&r->w);
        entity_write(&r->w, &ENTITY_activity, &rows[i], VIEW_FULL);
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    return OK;
}
