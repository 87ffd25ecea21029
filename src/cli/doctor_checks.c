/* doctor_checks: the server and its files. What belongs to the machine is in doctor_machine.c. */
#include "base/json.h"
#include "base/settings.h"
#include "cli/api.h"
#include "cli/doctor.h"
#include "cli/exec.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FINDING(v, h, ...) \
    ((struct finding){.verdict = VERDICT_##v, .hint = (h), .message = arena_printf(p->c->arena, __VA_ARGS__)})
#define MIB ((uint64_t)1 << 20)

struct finding check_data_dir(struct patient *p)
{
    struct stat st;
    if (stat(p->data_dir, &st) != 0) {
        char *parent = arena_strdup(p->c->arena, p->data_dir);
        while (strlen(parent) > 1 && access(parent, F_OK) != 0) *strrchr(parent, '/') = 0;
        if (*parent == 0) parent = arena_strdup(p->c->arena, "/");
        if (access(parent, W_OK | X_OK) != 0)
            return FINDING(FAIL, "give a folder that you may write with --data-dir or BULLDOG_DATA_DIR",
                           "%s cannot be made: %s is not writable", p->data_dir, parent);
        return FINDING(OK, NULL, "%s: not there yet, bulldog serve makes it", p->data_dir);
    }
    if (!S_ISDIR(st.st_mode)) return FINDING(FAIL, "give a folder with --data-dir", "%s is not a folder", p->data_dir);
    if (access(p->data_dir, R_OK | W_OK | X_OK) != 0)
        return FINDING(FAIL, "change its owner or mode, or run as its owner", "%s: %s", p->data_dir, strerror(errno));
    if (st.st_mode & S_IWOTH)
        return FINDING(WARN, "chmod o-w it: run tokens are signed with a key in there", "%s is writable by everybody",
                       p->data_dir);
    return FINDING(OK, NULL, "%s is writable", p->data_dir);
}

struct finding check_server(struct patient *p)
{
    const char *status = json_str(p->health, "status"), *version = json_str(p->health, "version");
    if (status == NULL)
        return p->own_server ? FINDING(WARN, "name its address with --api-url",
                                       "a server uses %s, but none answers at %s", p->data_dir, api_base(p->c))
                             : FINDING(WARN, "start it with: bulldog serve", "none answers at %s", api_base(p->c));
    if (strcmp(status, "ok") != 0)
        return FINDING(FAIL, "see the server's log", "%s says it is %s", api_base(p->c), status);
    if (version && strcmp(version, BULLDOG_VERSION) != 0)
        return FINDING(WARN, "restart the server after an update", "%s runs version %s, this is %s", api_base(p->c),
                       version, BULLDOG_VERSION);
    return FINDING(OK, NULL, "%s answers, version %s", api_base(p->c), version ? version : "?");
}

/* 0: could be bound; else the errno. */
static int try_bind(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    if (getaddrinfo(*host ? host : NULL, port, &hints, &found) != 0) return EADDRNOTAVAIL;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, rc = fd < 0 ? errno : 0;
    if (rc == 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        rc = bind(fd, found->ai_addr, found->ai_addrlen) != 0 ? errno : 0;
        close(fd);
    }
    freeaddrinfo(found);
    return rc;
}

struct finding check_port(struct patient *p)
{
    char *host = arena_strdup(p->c->arena, settings.listen), *colon = strrchr(host, ':');
    if (colon == NULL)
        return FINDING(FAIL, "write it as ADDR:PORT", "\"%s\" is no address to listen on", settings.listen);
    *colon = 0;
    if (*host == '[') { /* [::1]:3100 */
        host++;
        host[strcspn(host, "]")] = 0;
    }
    int rc = try_bind(host, colon + 1);
    if (rc == 0) return FINDING(OK, NULL, "%s is free", settings.listen);
    if (rc == EADDRINUSE && p->own_server)
        return FINDING(OK, NULL, "%s is in use, and a server uses the data directory", settings.listen);
    if (rc == EADDRINUSE && p->health) return FINDING(OK, NULL, "%s is in use by a server", settings.listen);
    if (rc == EADDRINUSE)
        return FINDING(FAIL, "end the other program, or choose a port with --listen", "%s is in use by another program",
                       settings.listen);
    return FINDING(FAIL, "choose another address with --listen or BULLDOG_LISTEN", "%s: %s", settings.listen,
                   strerror(rc));
}

struct finding check_database(struct patient *p)
{
    const char *url = p->c->value[OPT_database] ? p->c->value[OPT_database] : settings.database;
    const char *engine = json_str(json_object_get(p->health, "serverInfo"), "database");
    if (strncmp(url, "postgres", 8) == 0) {
        if (engine && strcmp(engine, "postgres") == 0) return FINDING(OK, NULL, "PostgreSQL, reached by the server");
        return FINDING(WARN, "start the server: it says why when it cannot connect",
                       "PostgreSQL, not looked at: no server that uses it answers");
    }
    const char *path = *url ? url : arena_printf(p->c->arena, "%s/bulldog.sqlite", p->data_dir);
    if (strncmp(path, "sqlite:", 7) == 0) path += 7;
    static const char magic[16] = "SQLite format 3";
    char head[16] = "";
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return FINDING(OK, NULL, "SQLite, %s: not there yet, bulldog serve makes it", path);
    if (fd < 0) return FINDING(FAIL, "change its owner or mode", "%s: %s", path, strerror(errno));
    bool known = read(fd, head, sizeof head) == (ssize_t)sizeof head && memcmp(head, magic, sizeof head) == 0;
    bool sized = fstat(fd, &st) == 0;
    close(fd);
    if (sized && st.st_size == 0) return FINDING(OK, NULL, "SQLite, %s: still empty", path);
    if (!known)
        return FINDING(FAIL, "name the right file with --database, or restore a backup", "%s is no SQLite database",
                       path);
    if (access(path, W_OK) != 0) return FINDING(FAIL, "change its owner or mode", "%s is not writable", path);
    return FINDING(OK, NULL, "SQLite, %s, %.1f MiB", path, sized ? (double)st.st_size / (double)MIB : 0);
}

struct finding check_disk(struct patient *p)
{
    struct statvfs fs;
    char *at = arena_strdup(p->c->arena, p->data_dir);
    while (strlen(at) > 1 && access(at, F_OK) != 0) *strrchr(at, '/') = 0;
    if (statvfs(*at ? at : "/", &fs) != 0) return FINDING(WARN, NULL, "%s: %s", at, strerror(errno));
    uint64_t free_mib = (uint64_t)fs.f_bavail * fs.f_frsize / MIB;
    if (free_mib < 100)
        return FINDING(FAIL, "make room: nothing can be recorded on a full disk", "only %llu MiB free",
                       (unsigned long long)free_mib);
    if (free_mib < 2048)
        return FINDING(WARN, "run logs and worktrees need room", "%llu MiB free", (unsigned long long)free_mib);
    return FINDING(OK, NULL, "%llu GiB free", (unsigned long long)(free_mib / 1024));
}

/* Run directories: a held lock is a living supervisor, an exit record an ended run; neither is a lost one. */
struct finding check_runs(struct patient *p)
{
    struct arena *a = p->c->arena;
    const char *runs = arena_printf(a, "%s/runs", p->data_dir);
    DIR *dir = opendir(runs);
    if (dir == NULL) return FINDING(OK, NULL, "no run yet");
    int living = 0, ended = 0, lost = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        int fd = open(arena_printf(a, "%s/%s/lock", runs, e->d_name), O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
        close(fd);
        if (held) living++;
        else if (access(arena_printf(a, "%s/%s/exit", runs, e->d_name), F_OK) == 0) ended++;
        else lost++;
    }
    closedir(dir);
    if (lost && !p->own_server)
        return FINDING(WARN, "bulldog serve settles them at its start",
                       "%d running, %d ended, %d whose supervisor is gone", living, ended, lost);
    if (ended && !p->own_server)
        return FINDING(OK, NULL, "%d running, %d ended: collected when the server starts", living, ended);
    return FINDING(OK, NULL, "%d running, %d being settled", living, ended + lost);
}

struct finding check_shim(struct patient *p)
{
    struct arena *a = p->c->arena;
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = 0;
    char *slash = strrchr(exe, '/');
    if (slash) slash[1] = 0;
    static const char *const places[] = {"bulldog-shim", "../libexec/bulldog/bulldog-shim"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *path = arena_printf(a, "%s%s", exe, places[i]);
        if (access(path, X_OK) == 0) return FINDING(OK, NULL, "%s", path);
    }
    return FINDING(FAIL, "install bulldog-shim beside bulldog: no run can start without it",
                   "there is no %sbulldog-shim", exe);
}
