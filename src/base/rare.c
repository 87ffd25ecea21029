/* rare: who decides, in a build for tests. */
#include "base/rare.h"

#ifdef BULLDOG_RARE
int64_t (*rare_source)(const char *place, int64_t usual, int64_t least);
#endif
