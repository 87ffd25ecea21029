/* relation: what blocks what. */
#include "model/relation.h"

err_t relation_unresolved(struct db *db, const char *issue_id, json_t **ids, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *ids = json_array();
    TRY(db_query(db, &r,
                 "SELECT b.id FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
                 " WHERE x.related_issue_id = $1 AND x.type = 'blocks' AND b.status <> 'done' ORDER BY b.id", P(V_ID(issue_id))));
    while (rows_next(&r)) json_array_append_new(*ids, json_string(row_text(&r, 0)));
    *count = (int)json_array_size(*ids);
    return rows_err(&r);
}
