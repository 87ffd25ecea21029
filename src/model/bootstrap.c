/* bootstrap: the board's first page in one answer. */
#include "model/bootstrap.h"

#include "model/activity.h"
#include "model/company.h"
#include "model/dashboard.h"
#include "model/issue_card.h"
#include "model/run_list.h"

#include <string.h>

#define ISSUES_MAX 1000
#define LIVE_MAX 200
#define RECENT_MAX 30

static err_t companies_part(struct db *db, struct jw *w)
{
    struct company *rows;
    int n;
    TRY(company_list(db, &rows, &n));
    jw_karr(w, "companies");
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        jw_kstr(w, "id", rows[i].id);
        jw_kstr(w, "name", rows[i].name);
        jw_kstr(w, "issuePrefix", rows[i].issue_prefix);
        jw_kstr(w, "status", rows[i].status);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return OK;
}

static err_t agents_part(struct db *db, struct jw *w, const char *company_id, enum agent_configs configs)
{
    struct agent *rows;
    struct org org;
    int n;
    TRY(agent_list(db, company_id, &rows, &n));
    agent_org(db_arena(db), rows, n, &org);
    jw_karr(w, "agents");
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].status, "terminated") != 0) agent_write(w, db_arena(db), &rows[i], &org, i, configs);
    jw_arr_end(w);
    return OK;
}

static err_t projects_part(struct db *db, struct jw *w, const char *company_id)
{
    struct project *rows;
    int n;
    TRY(entity_many(db, &ENTITY_project, &rows, &n,
                    "WHERE company_id = $1 AND archived_at IS NULL ORDER BY created_at, id LIMIT 500",
                    P(V_ID(company_id))));
    jw_karr(w, "projects");
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        jw_kstr(w, "id", rows[i].id);
        jw_kstr(w, "name", rows[i].name);
        jw_kstr(w, "status", rows[i].status);
        jw_kstr(w, "color", rows[i].color);
        jw_kstr(w, "icon", rows[i].icon);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return OK;
}

static err_t issues_part(struct db *db, struct jw *w, const char *company_id)
{
    struct issue *rows;
    int n;
    TRY(entity_many(
        db, &ENTITY_issue, &rows, &n,
        "WHERE company_id = $1 AND hidden_at IS NULL AND harness_kind IS NULL ORDER BY last_activity_at DESC, id DESC LIMIT $2",
        P(V_ID(company_id), V_INT(ISSUES_MAX))));
    struct issue_cards cards;
    TRY(issue_cards_load(db, rows, n, CARD_LABELS | CARD_ATTENTION | CARD_BLOCKED_BY, &cards));
    const struct row_form form = {.view = VIEW_COMPACT, .blocked_by = true};
    jw_karr(w, "issues");
    for (int i = 0; i < n; i++) issue_write_row(w, &cards, &cards.items[i], &form);
    jw_arr_end(w);
    return OK;
}

err_t bootstrap_write(struct db *db, struct jw *w, const struct company *c, const struct actor *actor,
                      enum agent_configs configs)
{
    const struct run_filter live = {.company_id = c->id, .live_only = true, .limit = LIVE_MAX},
                            recent = {.company_id = c->id, .limit = RECENT_MAX};
    int64_t last;
    jw_obj(w);
    jw_kobj(w, "session");
    jw_kstr(w, "userId", actor->user_id);
    jw_kstr(w, "agentId", actor->agent_id);
    jw_kstr(w, "mode", "local_trusted");
    jw_obj_end(w);
    jw_kobj(w, "company");
    company_write(w, c);
    jw_obj_end(w);
    TRY(companies_part(db, w));
    TRY(agents_part(db, w, c->id, configs));
    TRY(projects_part(db, w, c->id));
    TRY(issues_part(db, w, c->id));
    jw_karr(w, "liveRuns");
    TRY(run_live_write(db, w, &live, 0, true));
    jw_arr_end(w);
    jw_karr(w, "recentRuns");
    TRY(run_live_write(db, w, &recent, 0, true));
    jw_arr_end(w);
    jw_key(w, "dashboard");
    TRY(dashboard_write(db, w, c));
    jw_key(w, "badges");
    TRY(badges_write(db, w, c, actor->user_id));
    TRY(live_event_last_id(db, c->id, &last));
    jw_kint(w, "lastEventId", last);
    jw_obj_end(w);
    return OK;
}
