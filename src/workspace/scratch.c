/* scratch: temporary directories of runs. */
#include "workspace/scratch.h"

#include "base/clock.h"
#include "base/json.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *template_of(struct arena *a, const struct scratch_owner *o)
{
    const char *tmp = getenv("TMPDIR");
    char *ident = arena_strdup(a, o->identifier ? o->identifier : "unassigned");
    for (char *p = ident; *p; p++) *p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '-';
    return arena_printf(a, "%s/paperclip-run-%s-%.12s-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp", ident, o->run_id);
}

static err_t write_marker(struct arena *a, const char *dir, const struct scratch_owner *o)
{
    const char *path = arena_printf(a, "%s/%s", dir, SCRATCH_MARKER);
    json_t *j = json_pack("{s:i, s:s, s:s, s:s, s:s?, s:s?, s:s}", "version", 1, "companyId", o->company_id, "agentId",
                          o->agent_id, "runId", o->run_id, "issueId", o->issue_id, "issueIdentifier", o->identifier,
                          "createdAt", instant_text(a, clock_now()));
    const char *text = json_text(a, j);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return ok ? OK : err_new(a, ERR_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
}

err_t scratch_make(struct arena *a, const struct scratch_owner *o, const char **path)
{
    char *dir = arena_strdup(a, template_of(a, o));
    if (mkdtemp(dir) == NULL)
        return err_new(a, ERR_UNAVAILABLE, "cannot make the scratch directory %s: %s", dir, strerror(errno));
    *path = dir;
    return write_marker(a, dir, o);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    int rc = type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);
    return rc == 0 || errno == ENOENT ? 0 : -1;
}

err_t scratch_remove(struct arena *a, const char *path, const char *run_id)
{
    char text[1024] = "";
    int fd = open(arena_printf(a, "%s/%s", path, SCRATCH_MARKER), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? OK : err_new(a, ERR_UNAVAILABLE, "cannot read the marker of %s", path);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    const char *owner = n > 0 ? json_str(json_read(text), "runId") : NULL;
    if (owner == NULL || strcmp(owner, run_id) != 0) return err_new(a, ERR_CONFLICT, "%s belongs to another run", path);
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0) return OK;
    return err_new(a, ERR_UNAVAILABLE, "cannot remove %s: %s", path, strerror(errno));
}
