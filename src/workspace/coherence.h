/*
 * coherence: a worktree that left its recorded branch is brought back, or its
 * new branch is taken as the recorded one; nothing is lost on the way (WS §8).
 */
#ifndef BULLDOG_WORKSPACE_COHERENCE_H
#define BULLDOG_WORKSPACE_COHERENCE_H

#include "workspace/git.h"

struct coherence_wish {
    const char *recorded; /* branch */
    bool registered, forward, quarantine, contended;
    const char *identifier, *issue_id, *run_id; /* for the rescue commit */
};
struct coherence_result {
    bool coherent;      /* *facts is what holds now */
    const char *branch; /* the recorded one from now on */
    struct repair repair;
    json_t *evidence; /* of a failure, with its fingerprint */
};
/* facts: as git_facts found them; read again after a repair. */
err_t coherence_restore(const struct git *g, const struct coherence_wish *w, struct tree_facts *facts,
                        struct coherence_result *out) MUST_CHECK;

/* Everything that is not committed goes to a branch of its own, and stays checked out there. */
err_t quarantine(const struct git *g, const struct coherence_wish *w, const struct tree_facts *facts,
                 const char *fingerprint, const char **rescue) MUST_CHECK;

#endif
