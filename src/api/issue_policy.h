/* issue_policy: executionPolicy in the bodies of issues (IS-94, IS-98). */
#ifndef BULLDOG_API_ISSUE_POLICY_H
#define BULLDOG_API_ISSUE_POLICY_H

#include "api/request.h"

/* Takes the body's executionPolicy over into the row; false: it was not sent. */
bool body_policy(const struct req *r, struct issue *row);

#endif
