/*
 * migrate: numbered SQL files (db/migrations), embedded in the binary, applied
 * in order, each in one transaction with its checksum recorded. A database made
 * by a newer binary, or one whose applied file differs from ours, is refused.
 */
#ifndef BULLDOG_STORE_MIGRATE_H
#define BULLDOG_STORE_MIGRATE_H

#include "store/db.h"

err_t migrate_up(struct db *db, int *applied) MUST_CHECK;

#endif
