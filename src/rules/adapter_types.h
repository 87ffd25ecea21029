/* adapter_types: the agent runtimes of the protocol and what each supports (AR-5, AR-34). */
#ifndef BULLDOG_RULES_ADAPTER_TYPES_H
#define BULLDOG_RULES_ADAPTER_TYPES_H

#include <stdbool.h>

struct adapter_type {
    const char *type;
    bool available; /* this version can run it */
    bool instructions_bundle, skills, run_tokens;
};
extern const struct adapter_type ADAPTER_TYPES[];               /* ends with a NULL type */
const struct adapter_type *adapter_type_find(const char *type); /* NULL: not of the protocol */
/* May it run elsewhere than on this machine (WS-55)? These also take git seriously: two in one checkout collide (WS-104). */
bool adapter_type_remote(const char *type);

#endif
