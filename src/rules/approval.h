/*
 * approval: how an approval moves (GV-34…36), and how an approved configuration
 * is put over a stored one without its masks (AR-14c BETTER). Pure.
 */
#ifndef BULLDOG_RULES_APPROVAL_H
#define BULLDOG_RULES_APPROVAL_H

#include "base/json.h"

enum approval_verb { APPROVAL_APPROVE, APPROVAL_REJECT, APPROVAL_REVISE, APPROVAL_RESUBMIT };

struct approval_move {
    const char *to;      /* the new status */
    bool already;        /* decided so before: nothing to do */
    const char *refusal; /* 422; NULL: allowed */
};
struct approval_move approval_move(enum approval_verb verb, const char *status);

/* Still the board's or the requester's move. */
bool approval_open(const char *status);

/* `proposed` with every masked leaf replaced by what is stored at its place; one that has none is left out. */
json_t *config_unmask(const json_t *proposed, const json_t *stored);

#endif
