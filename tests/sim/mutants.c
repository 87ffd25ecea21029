/* mutants: none yet. */
#include "sim.h"

const char *mutant;
int mutant_count(void) { return 0; }
const char *mutant_name(int i) { return i ? "" : ""; }
const char *mutant_help(int i) { return i ? "" : ""; }
