/* agent_status: the status machine of agents as a table. */
#include "rules/agent_status.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct {
    enum agent_event event;
    const char *from, *to, *refusal;
} moves[] = {
#define MOVE(event, from, to) {AGENT_##event, from, to, NULL},
#define REFUSE(event, from, message) {AGENT_##event, from, NULL, message},
#include "tables/agent_transitions.def"
#undef MOVE
#undef REFUSE
};

const char *agent_transition(enum agent_event event, const char *from, const char **refusal)
{
    ptrdiff_t any = -1;
    *refusal = NULL;
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        if (moves[i].event != event) continue;
        if (strcmp(moves[i].from, "any") == 0) any = (ptrdiff_t)i;
        if (strcmp(moves[i].from, from) != 0) continue;
        *refusal = moves[i].refusal;
        return moves[i].to;
    }
    assert(any >= 0); /* every event has a line for the rest */
    *refusal = moves[any].refusal;
    return moves[any].to;
}

static bool one_of(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(*list, s) == 0) return true;
    return false;
}

bool agent_status_invokable(const char *status)
{
    static const char *const list[] = {"active", "idle", "running", "error", NULL};
    return one_of(status, list);
}

bool agent_status_assignable(const char *status)
{
    return agent_status_invokable(status) || strcmp(status, "paused") == 0;
}

const char *agent_status_write_refusal(const char *from, const char *to)
{
    bool same = strcmp(from, to) == 0;
    if (strcmp(from, "terminated") == 0 && !same) return "Terminated agents cannot be resumed";
    if (strcmp(from, "pending_approval") == 0 && !same && strcmp(to, "terminated") != 0)
        return "Pending approval agents cannot be activated directly";
    return NULL;
}
