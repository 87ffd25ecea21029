/* diagnostics: who was woken for an issue, what goes on below it (IS-135). */
#include "model/diagnostics.h"
#include "api/handlers.h"

err_t issue_diagnose_wakes(struct req *r) { return diagnose_wakes(r->db, &r->w, &r->issue); }
err_t issue_diagnose_subtree(struct req *r) { return diagnose_subtree(r->db, &r->w, &r->issue); }
