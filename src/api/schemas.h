/* schemas: the request bodies that the route table names; each is defined in its room. */
#ifndef BULLDOG_API_SCHEMAS_H
#define BULLDOG_API_SCHEMAS_H

#include "api/schema.h"

extern const struct schema COMPANY_CREATE, COMPANY_PATCH, COMPANY_BRANDING;
extern const struct schema AGENT_CREATE, AGENT_PATCH, AGENT_PERMISSIONS, AGENT_KEY_CREATE, AGENT_WAKEUP, AGENT_INVOKE,
    AGENT_RESET_SESSION, ADAPTER_TEST;
extern const struct schema GOAL_CREATE, GOAL_PATCH, LABEL_CREATE, PROJECT_CREATE, PROJECT_PATCH,
    PROJECT_WORKSPACE_CREATE, PROJECT_WORKSPACE_PATCH;
extern const struct schema ACTIVITY_CREATE;
extern const struct schema EXECUTION_WORKSPACE_FINALIZE;
extern const struct schema EXECUTION_POLICY;
extern const struct schema ISSUE_CREATE, ISSUE_CHILD, ISSUE_PATCH, ISSUE_CHECKOUT, COMMENT_CREATE;
extern const struct schema INBOX_ARCHIVE, INBOX_DISMISSAL, SIDEBAR_ORDER;

#endif
