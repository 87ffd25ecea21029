/* status_only: what a run that may only set a status is refused (EX-75): routes
 * flagged WORK, and giving out work on the cheap profile. */
#ifndef BULLDOG_API_STATUS_ONLY_H
#define BULLDOG_API_STATUS_ONLY_H

#include "api/request.h"

/* 403 when the acting run is one of those. */
err_t status_only_refuse(struct req *r) MUST_CHECK;
/* The same for a body that assigns work with the cheap model profile. */
err_t status_only_refuse_cheap(struct req *r) MUST_CHECK;

#endif
