/*
 * key_scope: agent keys that may do less than their agent (AO-44, AR-22). A
 * task bridge reads, comments and makes tasks inside some projects or below some
 * parents; a skill test has one issue. What is not named here they may not do.
 */
#ifndef BULLDOG_API_KEY_SCOPE_H
#define BULLDOG_API_KEY_SCOPE_H

#include "api/request.h"

extern const struct schema KEY_SCOPE; /* the body of a key's scope */

/* 403 issue_write_actor_class_excluded when the caller's key does not reach this route or this entity. */
err_t key_scope_check(struct req *r) MUST_CHECK;

#endif
