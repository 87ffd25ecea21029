/*
 * doctor: is this machine fit to run a server and its agents? Each check looks at
 * one thing, changes nothing, and says what to do about what it finds.
 */
#ifndef BULLDOG_CLI_DOCTOR_H
#define BULLDOG_CLI_DOCTOR_H

#include "cli/command.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct finding {
    enum verdict verdict;
    const char *message, *hint; /* hint: NULL when there is nothing to do */
};

struct patient {
    struct cli *c;
    const char *data_dir;
    const json_t *health; /* of the server at --api-url, or NULL */
    bool own_server;      /* a server on this machine uses the data directory */
};

struct finding check_data_dir(struct patient *p);
struct finding check_server(struct patient *p);
struct finding check_port(struct patient *p);
struct finding check_database(struct patient *p);
struct finding check_disk(struct patient *p);
struct finding check_runs(struct patient *p);
struct finding check_shim(struct patient *p);
struct finding check_git(struct patient *p);
struct finding check_agents(struct patient *p);
struct finding check_processes(struct patient *p);
struct finding check_cgroup(struct patient *p);
struct finding check_kernel(struct patient *p);
struct finding check_limits(struct patient *p);
struct finding check_workspaces(struct patient *p);

#endif
