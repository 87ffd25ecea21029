/* place: where the data directory is, for commands that look at this machine. */
#ifndef BULLDOG_CLI_PLACE_H
#define BULLDOG_CLI_PLACE_H

#include "cli/command.h"

/* --data-dir, else the setting, absolute; settings_load must have been called. It need not exist. */
const char *place_data_dir(struct cli *c);

#endif
