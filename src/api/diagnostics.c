/* diagnostics: what blocks an issue, who was woken for it, what goes on below it (IS-135). */
#include "model/diagnostics.h"
#include "api/handlers.h"

err_t issue_diagnose_blockers(struct req *r) { return diagnose_blockers(r->db, &r->w, &r->issue); }
err_t issue_diagnose_wakes(struct req *r) { return diagnose_wakes(r->db, &r->w, &r->issue); }
err_t issue_diagnose_subtree(struct req *r) { return diagnose_subtree(r->db, &r->w, &r->issue); }
