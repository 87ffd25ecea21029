/* instance_settings: one row of JSON over a table of defaults. */
#include "model/instance_settings.h"

#include "base/id.h"
#include "model/activity.h"
#include "model/company.h"

#define KEY "default"
#define HOURS "issueGraphLivenessAutoRecoveryLookbackHours"

static const struct {
    const char *key;
    bool dflt;
} EXPERIMENTS[] = {
#define EXPERIMENT(key, dflt, what) {key, dflt},
#include "tables/experiments.def"
#undef EXPERIMENT
};

static json_t *general_defaults(void)
{
    return json_pack("{s:b, s:b, s:s, s:{s:i, s:i, s:i}}", "censorUsernameInLogs", 0, "keyboardShortcuts", 0,
                     "feedbackDataSharingPreference", "prompt", "backupRetention", "dailyDays", 7, "weeklyWeeks", 4,
                     "monthlyMonths", 1);
}

static json_t *experimental_defaults(void)
{
    json_t *j = json_object();
    for (size_t i = 0; i < sizeof EXPERIMENTS / sizeof *EXPERIMENTS; i++)
        json_object_set_new(j, EXPERIMENTS[i].key, json_boolean(EXPERIMENTS[i].dflt));
    json_object_set_new(j, HOURS, json_integer(LOOKBACK_HOURS_DEFAULT));
    return j;
}

err_t instance_settings_ensure(struct db *db)
{
    struct arena *a = db_arena(db);
    instant_t now = clock_now();
    int64_t n;
    const json_t *row = json_pack("{s:s, s:s}", "id", id_new(a), "createdAt", instant_text(a, now));
    return db_exec(db, &n,
                   "INSERT INTO instance_settings (key, value, updated_at) VALUES ('" KEY
                   "', $1, $2) ON CONFLICT (key) DO NOTHING",
                   P(V_JSON(json_text(a, row)), V_TIME(now)));
}

/* The row as it is stored: only what somebody set. */
static err_t stored(struct db *db, json_t **row, instant_t *updated_at)
{
    struct rows r ROWS_AUTO = {0};
    *row = json_object();
    *updated_at = INSTANT_NONE;
    TRY(db_query(db, &r, "SELECT value, updated_at FROM instance_settings WHERE key = '" KEY "'", P()));
    if (rows_next(&r)) {
        json_t *value = json_read(row_text(&r, 0));
        if (json_is_object(value)) *row = value;
        *updated_at = row_time(&r, 1);
    }
    return rows_err(&r);
}

static void fill(const json_t *row, instant_t updated_at, struct instance_settings *out)
{
    *out = (struct instance_settings){.id = json_str(row, "id"),
                                      .default_environment_id = json_str(row, "defaultEnvironmentId"),
                                      .execution_paused = json_bool(row, "executionPaused", false),
                                      .general = general_defaults(),
                                      .experimental = experimental_defaults(),
                                      .created_at = updated_at,
                                      .updated_at = updated_at};
    json_object_update(out->general, json_object_get(row, "general"));
    json_object_update(out->experimental, json_object_get(row, "experimental"));
    const char *created = json_str(row, "createdAt");
    if (created && !instant_parse(created, &out->created_at)) out->created_at = updated_at;
}

err_t instance_settings_get(struct db *db, struct instance_settings *out)
{
    json_t *row;
    instant_t updated_at;
    TRY(stored(db, &row, &updated_at));
    fill(row, updated_at, out);
    return OK;
}

bool instance_experiment(const struct instance_settings *s, const char *key)
{
    return json_bool(s->experimental, key, false);
}

int64_t instance_lookback_hours(const struct instance_settings *s)
{
    int64_t hours = json_int(s->experimental, HOURS, LOOKBACK_HOURS_DEFAULT);
    return hours < 1 ? 1 : hours > LOOKBACK_HOURS_MAX ? LOOKBACK_HOURS_MAX : hours;
}

static err_t tell_companies(struct db *db, const struct actor *actor, const char *action, const char *id,
                            json_t *changed)
{
    struct company *rows;
    int n;
    TRY(company_list(db, &rows, &n));
    for (int i = 0; i < n; i++)
        TRY(activity_log(db, actor,
                         &(struct activity_entry){.company_id = rows[i].id,
                                                  .action = action,
                                                  .entity_type = "instance_settings",
                                                  .entity_id = id,
                                                  .details = json_pack("{s:O}", "changedKeys", changed)}));
    return OK;
}

err_t instance_settings_patch(struct db *db, const struct actor *actor, enum settings_part part, const json_t *patch,
                              struct instance_settings *out)
{
    static const char *const parts[] = {NULL, "general", "experimental"};
    static const char *const actions[] = {"instance.settings.updated", "instance.settings.general_updated",
                                          "instance.settings.experimental_updated"};
    struct arena *a = db_arena(db);
    json_t *row, *value, *changed = json_array();
    const char *key;
    instant_t updated_at;
    TRY(stored(db, &row, &updated_at));
    fill(row, updated_at, out);
    const json_t *before = part == SETTINGS_GENERAL        ? out->general
                           : part == SETTINGS_EXPERIMENTAL ? out->experimental
                                                           : row;
    json_t *into = row;
    if (parts[part]) {
        into = json_object_get(row, parts[part]);
        if (!json_is_object(into)) into = json_object();
        json_object_set(row, parts[part], into);
    }
    json_object_foreach ((json_t *)(uintptr_t)patch, key, value) {
        if (json_equal(json_object_get(before, key), value)) continue;
        json_array_append_new(changed, json_string(key));
        json_object_set(into, key, value);
    }
    if (json_array_size(changed) == 0) return OK;
    updated_at = clock_now();
    TRY(db_exec_one(db, "UPDATE instance_settings SET value = $1, updated_at = $2 WHERE key = '" KEY "'",
                    P(V_JSON(json_text(a, row)), V_TIME(updated_at))));
    fill(row, updated_at, out);
    return tell_companies(db, actor, actions[part], out->id, changed);
}

void instance_settings_write(struct jw *w, const struct instance_settings *s)
{
    jw_obj(w);
    jw_kstr(w, "id", s->id);
    jw_kstr(w, "defaultEnvironmentId", s->default_environment_id);
    jw_key(w, "general");
    jw_json(w, s->general);
    jw_key(w, "experimental");
    jw_json(w, s->experimental);
    jw_ktime(w, "createdAt", s->created_at);
    jw_ktime(w, "updatedAt", s->updated_at);
    jw_kbool(w, "executionPaused", s->execution_paused);
    jw_obj_end(w);
}
