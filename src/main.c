/* main: one binary; `bulldog serve` is the server, everything else a client of it. */
#include "base/json.h"
#include "cli/cli.h"
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
    return cli_main(argc, argv);
}
