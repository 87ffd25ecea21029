/* issue_child: a child of r->issue from r->body, for the rooms that make some (IS-121, IS-123). */
#ifndef BULLDOG_API_ISSUE_CHILD_H
#define BULLDOG_API_ISSUE_CHILD_H

#include "api/request.h"
#include "model/issue_create.h"

err_t issue_child_make(struct req *r, struct issue_created *done) MUST_CHECK;

#endif
