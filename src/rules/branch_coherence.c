/* branch_coherence: rows of the table, first match. */
#include "rules/branch_coherence.h"

enum coherence_action coherence_judge(const struct coherence_facts *f)
{
    bool ahead = f->actual == ANCESTRY_FORWARD || f->actual == ANCESTRY_SAME;
    if (f->same_branch) return COHERENT;
    if (!f->registered || f->contended) return COHERENCE_FAIL;
    if (f->clean && !f->interrupted) {
        if (f->detached && f->recorded_exists && f->actual == ANCESTRY_SAME) return COHERENCE_CHECKOUT;
        if (f->detached && (!f->recorded_exists || ahead)) return COHERENCE_RESET_BRANCH;
        if (!f->detached && f->recorded_exists && f->actual == ANCESTRY_SAME) return COHERENCE_CHECKOUT;
        if (!f->detached && f->forward_allowed && (!f->recorded_exists || f->actual == ANCESTRY_FORWARD))
            return COHERENCE_ADOPT;
        return COHERENCE_FAIL;
    }
    return f->recorded_exists && f->quarantine_allowed ? COHERENCE_QUARANTINE : COHERENCE_FAIL;
}
