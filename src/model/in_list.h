/*
 * in_list: "column IN ($3, $4, …)" for many ids at once. The number of
 * parameters is rounded up (the last id repeated), so that few different
 * statements are prepared.
 */
#ifndef BULLDOG_MODEL_IN_LIST_H
#define BULLDOG_MODEL_IN_LIST_H

#include "store/db.h"

struct in_list {
    const char *sql; /* "($3,$4)" */
    struct dbv *v;   /* the head, then the ids */
    int n;
};
/* head: the parameters before the ids. ids: at least one. */
struct in_list in_list_make(struct arena *a, const struct dbv *head, int head_count, const char *const *ids, int count);

#endif
