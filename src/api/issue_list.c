/* issue_list: finding issues (IS §7), and how many there are. */
#include "model/issue_list.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "base/id.h"
#include "base/text.h"
#include "model/inbox_state.h"
#include "model/issue_card.h"

#include <stdlib.h>

#define LIMIT_DEFAULT 500
#define LIMIT_MAX 1000

static err_t bad(struct req *r, const char *message) { return err_new(r->arena, ERR_BAD_REQUEST, "%s", message); }

/* A UUID parameter; "" is absent (BETTER: 400, never a database error). */
static err_t query_id(struct req *r, const char *name, const char **out)
{
    *out = query(r, name);
    if (*out == NULL || id_valid(*out)) return OK;
    return err_new(r->arena, ERR_BAD_REQUEST, "%s must be a UUID", name);
}

/* An issue by UUID or identifier (IS-2 BETTER); unknown ones match nothing. */
static err_t query_issue(struct req *r, const char *name, const char **out)
{
    struct issue row;
    bool found;
    const char *ref = query(r, name);
    if (ref == NULL) return OK;
    if (!issue_ref_valid(ref))
        return err_new(r->arena, ERR_BAD_REQUEST, "%s must be a UUID or an issue identifier", name);
    TRY(company_issue(r, ref, &row, &found));
    *out = found ? row.id : "00000000-0000-0000-0000-000000000000";
    return OK;
}

static err_t query_user(struct req *r, const char *name, const char **out)
{
    *out = query(r, name);
    if (!text_is(*out, "me")) return OK;
    if (is_agent(r)) return forbidden(r, "%s=me requires board authentication", name);
    *out = r->actor.user_id;
    return OK;
}

#define STATUSES_MAX 32

struct statuses {
    struct arena *arena;
    const char **list;
    int n;
};

/* A comma list, given once or several times; blanks around a name are none of it. */
static void add_statuses(void *ctx, const char *name, const char *value)
{
    struct statuses *out = ctx;
    if (strcmp(name, "status") != 0) return;
    while (*value && out->n < STATUSES_MAX) {
        value += strspn(value, " ,");
        size_t len = strcspn(value, ","), n = len;
        while (n > 0 && value[n - 1] == ' ') n--;
        if (n) out->list[out->n++] = arena_strndup(out->arena, value, n);
        value += len;
    }
}

static void query_statuses(struct req *r, struct issue_filter *f)
{
    struct statuses all = {r->arena, arena_array(r->arena, const char *, STATUSES_MAX), 0};
    http_query_each(r->http, add_statuses, &all);
    f->statuses = all.list;
    f->status_count = all.n;
}

/* A plain number below a thousand million; -1: none. */
static int digits(const char *s)
{
    size_t n = strspn(s, "0123456789");
    return n > 0 && n < 10 && s[n] == 0 ? (int)strtol(s, NULL, 10) : -1;
}

static err_t query_page(struct req *r, struct issue_filter *f)
{
    const char *limit = query(r, "limit"), *offset = query(r, "offset"), *dir = query(r, "sortDir"),
               *field = query(r, "sortField");
    f->limit = limit ? digits(limit) : LIMIT_DEFAULT;
    f->offset = offset ? digits(offset) : 0;
    if (f->limit < 1) return bad(r, "limit must be a positive integer up to 1000");
    if (f->limit > LIMIT_MAX) f->limit = LIMIT_MAX;
    if (f->offset < 0) return bad(r, "offset must be a non-negative integer");
    if (field && !text_is(field, "updated")) return bad(r, "sortField must be 'updated'");
    if (dir && !text_is(dir, "asc") && !text_is(dir, "desc")) return bad(r, "sortDir must be 'asc' or 'desc'");
    f->by_update = field != NULL;
    f->ascending = text_is(dir, "asc");
    return OK;
}

static err_t query_assignee(struct req *r, struct issue_filter *f)
{
    const char *agent = query(r, "assigneeAgentId");
    if (agent == NULL) return OK;
    f->unassigned = text_is(agent, "null");
    if (f->unassigned) return OK;
    f->assignee_agent_id = agent;
    return id_valid(agent) ? OK : unprocessable(r, "assigneeAgentId must be a UUID or 'null'");
}

static err_t query_people(struct req *r, struct issue_filter *f)
{
    TRY(query_assignee(r, f));
    TRY(query_user(r, "assigneeUserId", &f->assignee_user_id));
    TRY(query_user(r, "touchedByUserId", &f->touched_by_user_id));
    TRY(query_user(r, "unreadForUserId", &f->unread_for_user_id));
    TRY(query_user(r, "inboxArchivedByUserId", &f->inbox_of_user_id));
    if (f->unread_for_user_id && f->touched_by_user_id == NULL) /* only what one has to do with is unread */
        f->touched_by_user_id = f->unread_for_user_id;
    return query_id(r, "participantAgentId", &f->participant_agent_id);
}

static err_t query_places(struct req *r, struct issue_filter *f)
{
    TRY(query_id(r, "projectId", &f->project_id));
    TRY(query_id(r, "workspaceId", &f->workspace_id));
    TRY(query_id(r, "executionWorkspaceId", &f->execution_workspace_id));
    TRY(query_issue(r, query(r, "parentId") ? "parentId" : "parentIssueId", &f->parent_id));
    TRY(query_issue(r, "descendantOf", &f->descendant_of));
    return query_id(r, "labelId", &f->label_id);
}

static err_t query_filter(struct req *r, struct issue_filter *f)
{
    const char *since = query(r, "updatedSince"), *attention = query(r, "attention"), *view = query(r, "view"),
               *plan = query(r, "hasPlanDocument");
    *f = (struct issue_filter){.company_id = r->company_id,
                               .updated_since = INSTANT_NONE,
                               .q = query(r, "q"),
                               .origin_kind = query(r, "originKind"),
                               .origin_kind_prefix = query(r, "originKindPrefix"),
                               .origin_id = query(r, "originId"),
                               .exclude_routine_executions = query_bool(r, "excludeRoutineExecutions"),
                               .include_plugin_operations = query_bool(r, "includePluginOperations")};
    if (since && !instant_parse(since, &f->updated_since) &&
        !instant_parse(arena_printf(r->arena, "%sT00:00:00Z", since), &f->updated_since)) /* a day alone */
        return bad(r, "updatedSince must be an ISO 8601 time");
    if (attention && !text_is(attention, "blocked")) return bad(r, "attention must be 'blocked'");
    if (view && !text_is(view, "compact")) return bad(r, "view must be 'compact'");
    f->attention_blocked = attention != NULL;
    f->with_plan = text_is(plan, "true") || text_is(plan, "1");
    f->without_plan = text_is(plan, "false") || text_is(plan, "0");
    if (plan && !f->with_plan && !f->without_plan) return bad(r, "hasPlanDocument must be true or false");
    query_statuses(r, f);
    TRY(query_people(r, f));
    TRY(query_places(r, f));
    return query_page(r, f);
}

struct found {
    struct issue *rows;
    int count;
    int64_t total;
    bool judged; /* inbox and nodes tell how each row stands */
    struct blocked_inbox inbox;
    int *nodes;
};

/* The inbox of stuck work is judged whole and paged after (IS-73). */
static err_t find_stuck(struct req *r, const struct issue_filter *f, struct found *out)
{
    struct issue_filter all = *f;
    *out = (struct found){.judged = true};
    all.limit = LIMIT_MAX;
    all.offset = 0;
    TRY(issue_list(r->db, &all, &out->rows, &out->count));
    TRY(blocked_inbox_load(r->db, r->company_id, out->rows, out->count, &out->inbox));
    out->nodes = arena_array(r->arena, int, out->count + 1);
    int stuck = blocked_inbox_sort(&out->inbox, out->rows, out->nodes, out->count);
    int first = f->offset < stuck ? f->offset : stuck;
    out->total = stuck;
    out->rows += first;
    out->nodes += first;
    out->count = stuck - first < f->limit ? stuck - first : f->limit;
    return OK;
}

static err_t find_rows(struct req *r, const struct issue_filter *f, struct found *out)
{
    *out = (struct found){.rows = NULL};
    if (f->attention_blocked) return find_stuck(r, f, out);
    TRY(issue_list(r->db, f, &out->rows, &out->count));
    out->total = f->offset + out->count;
    if (out->count == f->limit || (out->count == 0 && f->offset > 0))
        TRY(issue_count(r->db, f, &out->total)); /* a short page is the last one */
    if (!query_bool(r, "includeBlockedInboxAttention")) return OK;
    TRY(blocked_inbox_load(r->db, r->company_id, out->rows, out->count, &out->inbox));
    out->judged = true;
    out->nodes = arena_array(r->arena, int, out->count + 1);
    for (int i = 0; i < out->count; i++) out->nodes[i] = i;
    return OK;
}

static err_t answer_list(struct req *r, const struct issue_filter *f)
{
    struct issue *rows;
    struct issue_cards cards;
    struct inbox_mark *marks = NULL;
    struct found found;
    int n;
    int64_t total, *live_below = NULL;
    bool compact = text_is(query(r, "view"), "compact"),
         blocked_by = query_bool(r, "includeBlockedBy") || f->attention_blocked;
    const char *person = f->touched_by_user_id ? f->touched_by_user_id : f->inbox_of_user_id;
    unsigned parts = CARD_LABELS | CARD_ATTENTION;
    if (!compact) parts |= CARD_RUNS;
    if (blocked_by) parts |= CARD_BLOCKED_BY;
    TRY(find_rows(r, f, &found));
    rows = found.rows;
    n = found.count;
    total = found.total;
    TRY(issue_cards_load(r->db, rows, n, parts, &cards));
    if (person) TRY(inbox_marks_load(r->db, person, rows, n, &marks));
    if (query_bool(r, "includeLiveDescendantSummary")) TRY(issue_live_below(r->db, rows, n, &live_below));
    http_set_header(r->http, "X-Total-Count", arena_printf(r->arena, "%lld", (long long)total));
    http_set_header(r->http, "X-Paperclip-Request-Cache", "miss"); /* nothing is kept between requests (IS-74) */
    if (compact) r->etag_prefix = "compact-issues";
    jw_arr(&r->w);
    for (int i = 0; i < n; i++)
        issue_write_row(&r->w, &cards, &cards.items[i],
                        &(struct row_form){.view = compact ? VIEW_COMPACT : VIEW_LIST,
                                           .blocked_by = blocked_by,
                                           .mark = marks ? &marks[i] : NULL,
                                           .arena = r->arena,
                                           .blocked = found.judged ? &found.inbox : NULL,
                                           .node = found.judged ? found.nodes[i] : 0,
                                           .live_below = live_below ? &live_below[i] : NULL});
    jw_arr_end(&r->w);
    return OK;
}

err_t issues_list(struct req *r)
{
    struct issue_filter f;
    TRY(query_filter(r, &f));
    return answer_list(r, &f);
}

/* What a person's inbox shows, for an agent that works for them (AR-27). */
err_t agent_inbox_mine(struct req *r)
{
    static const char *const inbox[] = {"backlog", "todo", "in_progress", "in_review", "blocked", "done"};
    struct issue_filter f;
    const char *user = query(r, "userId");
    if (user == NULL) return bad(r, "userId is required");
    r->company_id = r->actor.company_id;
    TRY(query_filter(r, &f));
    if (f.status_count == 0) {
        f.statuses = inbox;
        f.status_count = (int)(sizeof inbox / sizeof *inbox);
    }
    f.touched_by_user_id = f.inbox_of_user_id = user;
    return answer_list(r, &f);
}

err_t issues_count(struct req *r)
{
    struct issue_filter f;
    struct found found;
    if (!text_is(query(r, "attention"), "blocked")) return bad(r, "attention=blocked is required");
    if (query(r, "limit") || query(r, "offset")) return bad(r, "limit and offset do not apply to a count");
    TRY(query_filter(r, &f));
    TRY(find_stuck(r, &f, &found));
    jw_obj(&r->w);
    jw_kint(&r->w, "count", found.total);
    jw_obj_end(&r->w);
    return OK;
}
