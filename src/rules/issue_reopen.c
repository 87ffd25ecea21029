/* issue_reopen: comments that bring work back. */
#include "rules/issue_reopen.h"

#include "base/text.h"
#include "rules/issue_status.h"

enum reopen reopen_decide(const struct reopen_facts *f)
{
    bool closed = status_terminal(f->status), blocked = text_is(f->status, "blocked");
    bool wanted = f->reopen || f->resume;
    bool implicit = f->by_user && f->agent_assigned && (closed || blocked) && !f->by_lock_run && !f->adds_blockers;
    /* an agent's last words on its own closed issue are no reason to start again */
    if (f->by_assignee && closed && !f->resume) return REOPEN_NO;
    if (text_is(f->status, "in_progress") && f->by_user && f->retry_scheduled) return REOPEN_RETRY;
    if (!wanted && !implicit) return REOPEN_NO;
    if (closed) return REOPEN_TODO;
    if (!blocked) return REOPEN_NO;
    if (f->blockers_open == 0) return REOPEN_TODO;
    return f->resume ? REOPEN_REFUSED : REOPEN_NO;
}
