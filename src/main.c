/* main: one binary; `bulldog serve` is the server, everything else a client of it. */
#include "base/json.h"
#include "cli/serve.h"
#include "store/entity.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (sodium_init() < 0) {
        fputs("bulldog: cannot set up cryptography\n", stderr);
        return 1;
    }
    json_setup();
    if (argc > 1 && strcmp(argv[1], "serve") == 0) {
        entity_setup();
        return serve_main(argc - 2, argv + 2);
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("bulldog " BULLDOG_VERSION);
        return 0;
    }
    fputs("Usage: bulldog serve [options] (see bulldog serve --help)\n", stderr);
    return 1;
}
