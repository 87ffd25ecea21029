/* issue_policy: executionPolicy in the bodies of issues (IS-94, IS-98). */
#ifndef BULLDOG_API_ISSUE_POLICY_H
#define BULLDOG_API_ISSUE_POLICY_H

#include "api/request.h"

/* Takes the body's executionPolicy over into the row, normalised. 422: it names somebody unknown. */
err_t body_policy(struct req *r, struct issue *row, bool *sent) MUST_CHECK;

#endif
