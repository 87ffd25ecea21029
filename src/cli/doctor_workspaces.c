/* doctor_workspaces: worktrees and branches that nobody has any more; the server is asked, nothing is removed. */
#include "base/json.h"
#include "cli/api.h"
#include "cli/doctor.h"

#include <string.h>

struct finding check_workspaces(struct patient *p)
{
    struct arena *a = p->c->arena;
    json_t *company, *o;
    size_t i, k;
    int orphans = 0, removable = 0, unreadable = 0;
    if (p->health == NULL) return (struct finding){VERDICT_OK, "not looked at: no server answers", NULL};
    struct api_answer companies = api_request(p->c, "GET", "/api/companies", NULL);
    if (!json_is_array(companies.json))
        return (struct finding){VERDICT_OK, "not looked at: this caller may not list companies", NULL};
    json_array_foreach (companies.json, i, company) {
        const char *path = arena_printf(a, "/api/companies/%s/execution-workspaces/gc", json_str(company, "id"));
        struct api_answer answer = api_request(p->c, "POST", path, json_object());
        json_array_foreach (json_object_get(answer.json, "orphans"), k, o) {
            const char *kind = json_str(o, "kind");
            bool error = kind && strcmp(kind, "error") == 0;
            unreadable += error;
            orphans += !error;
            removable += json_bool(o, "removable", false);
        }
    }
    if (unreadable > 0)
        return (struct finding){VERDICT_WARN, arena_printf(a, "%d repositories cannot be read", unreadable),
                                "bulldog workspace gc shows why"};
    if (orphans == 0) return (struct finding){VERDICT_OK, "no worktree or branch is left over", NULL};
    return (struct finding){VERDICT_WARN,
                            arena_printf(a,
                                         "%d worktrees or branches belong to no workspace, %d of them merged and clean",
                                         orphans, removable),
                            "bulldog workspace gc shows them; with --apply it removes the merged and clean ones"};
}
