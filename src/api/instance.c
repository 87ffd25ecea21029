/* instance: the settings of the whole server (AO §6). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "model/environment.h"
#include "model/graph_liveness.h"
#include "model/instance_settings.h"
#include "model/suppression.h"

static const char *const sharing[] = {"allowed", "not_allowed", "prompt", NULL};
static const char *const modes[] = {"any", "kubernetes", NULL};

static const struct prop retention_props[] = {
    {"dailyDays", PROP_INT, REQUIRED, .min = 3, .max = 14},
    {"weeklyWeeks", PROP_INT, REQUIRED, .min = 1, .max = 4},
    {"monthlyMonths", PROP_INT, REQUIRED, .min = 1, .max = 6},
};
static SCHEMA(BACKUP_RETENTION, retention_props);

static const struct prop general_props[] = {
    {"censorUsernameInLogs", PROP_BOOL},
    {"keyboardShortcuts", PROP_BOOL},
    {"feedbackDataSharingPreference", PROP_ENUM, 0, .options = sharing},
    {"backupRetention", PROP_OBJECT, 0, .object = &BACKUP_RETENTION},
    {"executionMode", PROP_ENUM, 0, .options = modes},
};

/* Three steps each, not every number between them. */
static void refine_general(const json_t *body, json_t *problems)
{
    static const struct {
        const char *key, *path, *message;
        int64_t choices[3];
    } steps[] = {
        {"dailyDays", "backupRetention.dailyDays", "dailyDays must be 3, 7 or 14", {3, 7, 14}},
        {"weeklyWeeks", "backupRetention.weeklyWeeks", "weeklyWeeks must be 1, 2 or 4", {1, 2, 4}},
        {"monthlyMonths", "backupRetention.monthlyMonths", "monthlyMonths must be 1, 3 or 6", {1, 3, 6}},
    };
    const json_t *kept = json_object_get(body, "backupRetention");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const json_t *value = json_object_get(kept, steps[i].key);
        bool known = !json_is_integer(value); /* the table above tells of that */
        for (int k = 0; !known && k < 3; k++) known = json_integer_value(value) == steps[i].choices[k];
        if (!known) schema_custom(problems, steps[i].path, steps[i].message);
    }
}
SCHEMA_WITH(INSTANCE_GENERAL, general_props, .strict = true, .refine = refine_general);

static const struct prop experimental_props[] = {
#define EXPERIMENT(key, dflt, what) {key, PROP_BOOL},
#include "tables/experiments.def"
#undef EXPERIMENT
    {"issueGraphLivenessAutoRecoveryLookbackHours", PROP_INT, 0, .min = 1, .max = LOOKBACK_HOURS_MAX},
};
SCHEMA(INSTANCE_EXPERIMENTAL, experimental_props);

static const struct prop root_props[] = {
    {"defaultEnvironmentId", PROP_UUID, NULLABLE},
    {"executionPaused", PROP_BOOL},
};
SCHEMA(INSTANCE_SETTINGS, root_props);

static err_t answer(struct req *r, enum settings_part part, const struct instance_settings *s)
{
    if (part == SETTINGS_ROOT) instance_settings_write(&r->w, s);
    else jw_json(&r->w, part == SETTINGS_GENERAL ? s->general : s->experimental);
    return OK;
}

static err_t show(struct req *r, enum settings_part part)
{
    struct instance_settings s;
    if (!is_board(r)) return forbidden(r, "Company membership or instance admin access required");
    TRY(instance_settings_get(r->db, &s));
    return answer(r, part, &s);
}

/* Only what the schema knows is kept: unknown keys are dropped (and named as ignored). */
static json_t *known_only(const json_t *body, const struct schema *s)
{
    json_t *out = json_object();
    for (int i = 0; i < s->count; i++) {
        json_t *value = json_object_get(body, s->props[i].name);
        if (value) json_object_set(out, s->props[i].name, value);
    }
    return out;
}

static err_t check_environment(struct req *r)
{
    const char *id = json_str(r->body, "defaultEnvironmentId");
    struct environment e;
    bool found = true;
    if (id) TRY(environment_get(r->db, id, &e, &found));
    return found ? environment_check(r->db, id) : dangling(r, "defaultEnvironmentId", id);
}

static err_t patch(struct req *r, enum settings_part part)
{
    struct instance_settings s;
    TRY(check_environment(r));
    TRY(instance_settings_patch(r->db, &r->actor, part, known_only(r->body, r->route->body), &s));
    suppression_take(&s);
    return answer(r, part, &s);
}

err_t instance_settings_show(struct req *r) { return show(r, SETTINGS_ROOT); }
err_t instance_general_show(struct req *r) { return show(r, SETTINGS_GENERAL); }
err_t instance_experimental_show(struct req *r) { return show(r, SETTINGS_EXPERIMENTAL); }
err_t instance_settings_change(struct req *r) { return patch(r, SETTINGS_ROOT); }
err_t instance_general_change(struct req *r) { return patch(r, SETTINGS_GENERAL); }
err_t instance_experimental_change(struct req *r) { return patch(r, SETTINGS_EXPERIMENTAL); }

/* ---- stalled chains of blockers (EX-112) ---- */

static const struct prop lookback_props[] = {{"lookbackHours", PROP_INT, 0, .min = 1, .max = LOOKBACK_HOURS_MAX}};
SCHEMA(GRAPH_LOOKBACK, lookback_props);

static int64_t lookback(const struct req *r, const struct instance_settings *s)
{
    return json_int(r->body, "lookbackHours", instance_lookback_hours(s));
}

err_t graph_recovery_preview(struct req *r)
{
    struct instance_settings s;
    TRY(instance_settings_get(r->db, &s));
    return graph_preview_write(r->db, &r->w, lookback(r, &s));
}

err_t graph_recovery_run(struct req *r)
{
    struct instance_settings s;
    TRY(instance_settings_get(r->db, &s));
    return graph_run_write(r->db, &r->w, lookback(r, &s),
                           instance_experiment(&s, "enableIssueGraphLivenessAutoRecovery"));
}
