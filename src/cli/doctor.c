/* doctor: the list of checks, and what is shown of them. */
#include "cli/doctor.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/settings.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/place.h"
#include "cli/print.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct finding (*check)(struct patient *p);
} CHECKS[] = {
    {"data directory", check_data_dir}, {"server", check_server},
    {"listen address", check_port},     {"database", check_database},
    {"disk space", check_disk},         {"runs", check_runs},
    {"supervisor", check_shim},         {"git", check_git},
    {"agent programs", check_agents},   {"process control", check_processes},
    {"cgroups", check_cgroup},          {"kernel features", check_kernel},
    {"limits", check_limits},           {"workspaces", check_workspaces},
};
enum { CHECKS_COUNT = sizeof CHECKS / sizeof *CHECKS };

static const char *const WORDS[] = {"ok", "warn", "fail"}, *const WIRE[] = {"pass", "warn", "fail"};
static const char *const TINTS[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};

/* The server that holds the data directory keeps its lock file locked. */
static bool in_use(struct arena *a, const char *data_dir)
{
    int fd = open(arena_printf(a, "%s/server.lock", data_dir), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool used = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd); /* and with it the lock, if we got it */
    return used;
}

int cmd_doctor(struct cli *c)
{
    struct buf out BUF_AUTO = {0};
    int count[3] = {0};
    err_t wrong = settings_load(c->arena);
    if (wrong) return usage_error("a setting is wrong: %s", wrong->message);
    struct patient p = {.c = c, .data_dir = place_data_dir(c)};
    struct api_answer health = api_request(c, "GET", "/api/health", NULL);
    if (json_str(health.json, "status")) p.health = health.json;
    p.own_server = in_use(c->arena, p.data_dir);

    json_t *list = json_array();
    for (int i = 0; i < CHECKS_COUNT; i++) {
        struct finding f = CHECKS[i].check(&p);
        count[f.verdict]++;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "name", CHECKS[i].name, "status",
                                              WIRE[f.verdict], "message", f.message, "hint", f.hint));
        if (c->colour) buf_puts(&out, TINTS[f.verdict]);
        buf_printf(&out, "%-5s", WORDS[f.verdict]);
        if (c->colour) buf_puts(&out, "\x1b[0m");
        buf_printf(&out, "%-16s %s\n", CHECKS[i].name, f.message);
        if (f.hint) buf_printf(&out, "%22s→ %s\n", "", f.hint);
    }
    if (c->value[OPT_json]) {
        buf_clear(&out);
        print_json(&out,
                   json_pack("{s:b, s:i, s:i, s:i, s:o}", "ok", count[VERDICT_FAIL] == 0, "passed", count[VERDICT_OK],
                             "warnings", count[VERDICT_WARN], "failed", count[VERDICT_FAIL], "checks", list));
    } else {
        buf_printf(&out, "\n%d passed, %d warnings, %d failed\n", count[VERDICT_OK], count[VERDICT_WARN],
                   count[VERDICT_FAIL]);
    }
    return print_out(&out) && count[VERDICT_FAIL] == 0 ? 0 : cli_exit_code(END_ERROR);
}
