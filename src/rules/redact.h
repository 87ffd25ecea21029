/*
 * redact: keeps secrets out of stored and shown data (AR-20, AO-30). Pure.
 */
#ifndef BULLDOG_RULES_REDACT_H
#define BULLDOG_RULES_REDACT_H

#include "base/json.h"

#define REDACTED "***REDACTED***"

/* Does a field of this name hold a secret? */
bool redact_is_sensitive(const char *key);
/* A copy with sensitive values replaced; secret_ref bindings are kept. */
json_t *redact_json(struct arena *a, const json_t *v);
/* Free text: "name":"value" pairs, NAME=value, bearer tokens, token prefixes, JWTs. */
const char *redact_text(struct arena *a, const char *s);
/* The first key holding the marker as its value where the key is sensitive, else NULL (AR-9). */
const char *redact_find_marker(const json_t *v);

#endif
