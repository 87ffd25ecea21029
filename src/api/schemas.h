/* schemas: the request bodies that the route table names; each is defined in its room. */
#ifndef BULLDOG_API_SCHEMAS_H
#define BULLDOG_API_SCHEMAS_H

#include "api/schema.h"

extern const struct schema COMPANY_CREATE, COMPANY_PATCH, COMPANY_BRANDING;

#endif
