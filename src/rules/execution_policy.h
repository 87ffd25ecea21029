/*
 * execution_policy: the stages a piece of work passes before it is done (EX-135,
 * IS-94), and who is to look at it next. Pure. The machine over them is rules/stage;
 * the policy's monitor is carried along as it is, rules/monitor reads it.
 */
#ifndef BULLDOG_RULES_EXECUTION_POLICY_H
#define BULLDOG_RULES_EXECUTION_POLICY_H

#include "base/json.h"

#define REVIEW_ROUNDS_DEFAULT 3
#define REVIEW_ROUNDS_MAX 50

enum principal_kind { PRINCIPAL_NONE, PRINCIPAL_AGENT, PRINCIPAL_USER };
struct principal {
    enum principal_kind kind;
    const char *id;
};
struct principal principal_of(const char *agent_id, const char *user_id);
bool principal_same(struct principal a, struct principal b);
/* {type, agentId, userId}, and back; null for nobody. */
json_t *principal_json(struct principal p);
struct principal principal_read(const json_t *o);

/* Can somebody act on it? The model knows, and fills it in after reading. */
enum reach { REACH_NOW, REACH_LATER /* paused, not yet approved */, REACH_NEVER /* terminated, unknown */ };
struct participant {
    struct principal who;
    enum reach reach;
};
struct stage {
    const char *id;
    bool approval; /* else a review */
    struct participant *participants;
    int count;
};
struct execution_policy {
    struct stage *stages;
    int count;
    int max_rounds; /* of changes that agents may ask for before a person decides (EX-137) */
};
const char *stage_type(const struct stage *s); /* review, approval */

/* Reads a normalised policy; NULL or JSON null: no stages. */
void execution_policy_read(struct arena *a, const json_t *policy, struct execution_policy *out);
/* What a client sent, in the form that is kept: ids for what has none, no doubles, no
 * empty stages, comments required; NULL when nothing is left. make_id: of fresh ids. */
json_t *execution_policy_normalise(struct arena *a, const json_t *sent, const char *(*make_id)(struct arena *a));
/* The stage with this id, or -1. */
int execution_policy_find(const struct execution_policy *p, const char *stage_id);

/* Who looks at stage s. wish: somebody asked for, or NONE; never: whose work it is.
 * REACH_NOW before REACH_LATER. NONE: nobody but `never` is named. When all others
 * are out of reach for good the person decides, for nobody is left waiting. */
struct principal stage_choose(const struct stage *s, struct principal wish, struct principal never,
                              struct principal person);
bool stage_names(const struct stage *s, struct principal who);

#endif
