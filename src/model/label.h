/* label: coloured names on issues. */
#ifndef BULLDOG_MODEL_LABEL_H
#define BULLDOG_MODEL_LABEL_H

#include "model/actor.h"
#include "store/entity.h"

err_t label_get(struct db *db, const char *id, struct label *out, bool *found) MUST_CHECK;

#endif
