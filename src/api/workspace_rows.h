/* workspace_rows: what the rooms about workspaces share. */
#ifndef BULLDOG_API_WORKSPACE_ROWS_H
#define BULLDOG_API_WORKSPACE_ROWS_H

#include "api/request.h"

/* An array of them. */
err_t workspace_operations_write(struct req *r, const struct workspace_operation *rows, int n) MUST_CHECK;

#endif
