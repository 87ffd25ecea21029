/* ending: how a claimed run comes to its end (EX-65), and that its processes are gone. */
#ifndef BULLDOG_ENGINE_ENDING_H
#define BULLDOG_ENGINE_ENDING_H

#include "engine/engine_internal.h"
#include "model/finalize.h"

struct ending {
    struct run run;
    struct run_outcome outcome;
    bool done;
};

/* false: nothing was written, the failure is reported; the caller tries again later. */
bool ending_write(struct engine *e, struct ending *x);

#endif
