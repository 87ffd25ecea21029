/* execution_policy: reading and normalising policies, choosing participants. */
#include "rules/execution_policy.h"

#include "base/text.h"

/* ---- principals ---- */

struct principal principal_of(const char *agent_id, const char *user_id)
{
    if (agent_id) return (struct principal){PRINCIPAL_AGENT, agent_id};
    return user_id ? (struct principal){PRINCIPAL_USER, user_id} : (struct principal){PRINCIPAL_NONE, NULL};
}

bool principal_same(struct principal a, struct principal b) { return a.kind == b.kind && text_same(a.id, b.id); }

json_t *principal_json(struct principal p)
{
    if (p.kind == PRINCIPAL_NONE) return json_null();
    bool agent = p.kind == PRINCIPAL_AGENT;
    return json_pack("{s:s, s:s?, s:s?}", "type", agent ? "agent" : "user", "agentId", agent ? p.id : NULL, "userId",
                     agent ? NULL : p.id);
}

struct principal principal_read(const json_t *o)
{
    bool agent = text_is(json_str(o, "type"), "agent");
    return principal_of(agent ? json_str(o, "agentId") : NULL, agent ? NULL : json_str(o, "userId"));
}

/* ---- reading ---- */

const char *stage_type(const struct stage *s) { return s->approval ? "approval" : "review"; }

static void read_stage(struct arena *a, const json_t *from, struct stage *s)
{
    const json_t *list = json_object_get(from, "participants");
    json_t *p;
    size_t i;
    *s = (struct stage){.id = json_str(from, "id"), .approval = text_is(json_str(from, "type"), "approval")};
    s->participants = arena_array(a, struct participant, json_array_size(list) + 1);
    json_array_foreach (list, i, p) {
        struct principal who = principal_read(p);
        if (who.kind != PRINCIPAL_NONE) s->participants[s->count++] = (struct participant){.who = who};
    }
}

void execution_policy_read(struct arena *a, const json_t *policy, struct execution_policy *out)
{
    const json_t *stages = json_object_get(policy, "stages");
    int64_t rounds = json_int(policy, "maxReviewRounds", REVIEW_ROUNDS_DEFAULT);
    json_t *s;
    size_t i;
    *out = (struct execution_policy){.max_rounds = rounds < 1 || rounds > REVIEW_ROUNDS_MAX ? REVIEW_ROUNDS_DEFAULT
                                                                                            : (int)rounds};
    out->stages = arena_array(a, struct stage, json_array_size(stages) + 1);
    json_array_foreach (stages, i, s) read_stage(a, s, &out->stages[out->count++]);
}

int execution_policy_find(const struct execution_policy *p, const char *stage_id)
{
    for (int i = 0; i < p->count; i++)
        if (text_is(p->stages[i].id, stage_id)) return i;
    return -1;
}

/* ---- normalising ---- */

struct maker {
    struct arena *a;
    const char *(*make_id)(struct arena *a);
};

static json_t *id_of(const struct maker *m, const json_t *o)
{
    const char *id = json_str(o, "id");
    return json_string(id ? id : m->make_id(m->a));
}

static bool known(const json_t *list, struct principal who)
{
    json_t *o;
    size_t i;
    json_array_foreach (list, i, o)
        if (principal_same(principal_read(o), who)) return true;
    return false;
}

static json_t *participants(const struct maker *m, const json_t *sent)
{
    json_t *out = json_array(), *o;
    size_t i;
    json_array_foreach (sent, i, o) {
        struct principal who = principal_read(o);
        if (who.kind == PRINCIPAL_NONE || known(out, who)) continue;
        json_t *p = json_pack("{s:o}", "id", id_of(m, o));
        json_object_update(p, principal_json(who));
        json_array_append_new(out, p);
    }
    return out;
}

static json_t *stages(const struct maker *m, const json_t *sent)
{
    json_t *out = json_array(), *o;
    size_t i;
    json_array_foreach (sent, i, o) {
        json_t *list = participants(m, json_object_get(o, "participants"));
        const char *type = text_is(json_str(o, "type"), "approval") ? "approval" : "review";
        if (json_array_size(list) == 0) continue;
        json_array_append_new(out, json_pack("{s:o, s:s, s:i, s:o}", "id", id_of(m, o), "type", type, "approvalsNeeded",
                                             1, "participants", list));
    }
    return out;
}

json_t *execution_policy_normalise(struct arena *a, const json_t *sent, const char *(*make_id)(struct arena *a))
{
    static const char *const carried[] = {"monitor", "reviewPreset", "authorizationPolicy"};
    const struct maker m = {a, make_id};
    if (!json_is_object(sent)) return NULL;
    const char *mode = json_str(sent, "mode");
    json_t *list = stages(&m, json_object_get(sent, "stages"));
    json_t *out = json_pack("{s:s, s:b, s:O}", "mode", mode ? mode : "normal", "commentRequired", 1, "stages", list);
    bool empty = json_array_size(list) == 0;
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        json_t *v = json_object_get(sent, carried[i]);
        if (v == NULL || json_is_null(v)) continue;
        json_object_set(out, carried[i], v);
        empty = false;
    }
    json_t *rounds = json_object_get(sent, "maxReviewRounds");
    if (json_is_integer(rounds)) json_object_set(out, "maxReviewRounds", rounds);
    return empty ? NULL : out;
}

/* ---- choosing ---- */

bool stage_names(const struct stage *s, struct principal who)
{
    for (int i = 0; i < s->count; i++)
        if (principal_same(s->participants[i].who, who)) return true;
    return false;
}

struct principal stage_choose(const struct stage *s, struct principal wish, struct principal never,
                              struct principal person)
{
    bool others = false;
    for (int i = 0; i < s->count; i++)
        if (wish.kind != PRINCIPAL_NONE && principal_same(s->participants[i].who, wish) &&
            !principal_same(wish, never) && s->participants[i].reach != REACH_NEVER)
            return wish;
    for (enum reach r = REACH_NOW; r <= REACH_LATER; r++)
        for (int i = 0; i < s->count; i++) {
            if (principal_same(s->participants[i].who, never)) continue;
            others = true;
            if (s->participants[i].reach == r) return s->participants[i].who;
        }
    return others ? person : (struct principal){PRINCIPAL_NONE, NULL};
}
