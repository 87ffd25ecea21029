/* issue_follow_up: what people do about work that waits: not to wait for a retry (EX-63). */
#include "api/handlers.h"
#include "model/retry.h"

err_t issue_retry_now(struct req *r)
{
    struct retry_now now;
    TRY(retry_now(r->db, &r->actor, &r->issue, &now));
    jw_obj(&r->w);
    jw_kstr(&r->w, "outcome", now.outcome);
    jw_kstr(&r->w, "message", now.message);
    retry_write(&r->w, "scheduledRetry", now.run.id ? &now.run : NULL);
    jw_obj_end(&r->w);
    return OK;
}
