/*
 * ram: a file system of SQLite's in this process's memory, with the locks and
 * the shared memory that the write-ahead log needs. The database behaves as on
 * disk, at the price of a memcpy; the forked process of each seed begins with
 * the migrated database that its parent made. Nothing here waits: there is one
 * thread, so a lock that is taken stays taken until its owner goes on.
 */
#include "sim.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FILES_MAX 8
#define REGIONS_MAX 64

struct file {
    char name[64];
    unsigned char *data;
    sqlite3_int64 size, room;
    int shared;           /* handles that hold at least a shared lock */
    const void *reserved; /* the handle that may write, and the one that is alone */
    const void *exclusive;
    void *regions[REGIONS_MAX]; /* shared memory */
    int shm_shared[SQLITE_SHM_NLOCK];
    const void *shm_exclusive[SQLITE_SHM_NLOCK];
    int opened;
    bool used, temporary;
};

struct handle {
    sqlite3_file base;
    struct file *file;
    int level;
    unsigned shm_held; /* bits of shared locks of this handle */
};

static struct file files[FILES_MAX];

static struct handle *handle_of(sqlite3_file *f) { return (struct handle *)(void *)f; }
static struct file *file_of(sqlite3_file *f) { return handle_of(f)->file; }

static struct file *find(const char *name)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (files[i].used && strcmp(files[i].name, name) == 0) return &files[i];
    return NULL;
}

static void forget_regions(struct file *f)
{
    for (int i = 0; i < REGIONS_MAX; i++) {
        free(f->regions[i]);
        f->regions[i] = NULL;
    }
}

static void forget(struct file *f)
{
    free(f->data);
    forget_regions(f);
    memset(f, 0, sizeof *f);
}

/* ---- a file ---- */

static int ram_close(sqlite3_file *h)
{
    struct file *f = file_of(h);
    if (--f->opened == 0 && f->temporary) forget(f);
    return SQLITE_OK;
}

static int ram_read(sqlite3_file *h, void *to, int n, sqlite3_int64 at)
{
    struct file *f = file_of(h);
    sqlite3_int64 have = f->size - at < n ? f->size - at : n;
    if (have > 0) memcpy(to, f->data + at, (size_t)have);
    if (have >= n) return SQLITE_OK;
    if (have < 0) have = 0;
    memset((char *)to + have, 0, (size_t)(n - have));
    return SQLITE_IOERR_SHORT_READ;
}

static int ram_write(sqlite3_file *h, const void *from, int n, sqlite3_int64 at)
{
    struct file *f = file_of(h);
    if (at + n > f->room) {
        sqlite3_int64 room = (at + n) * 3 / 2 + 65536;
        unsigned char *more = realloc(f->data, (size_t)room);
        if (more == NULL) return SQLITE_NOMEM;
        f->data = more;
        f->room = room;
    }
    if (at > f->size) memset(f->data + f->size, 0, (size_t)(at - f->size));
    memcpy(f->data + at, from, (size_t)n);
    if (at + n > f->size) f->size = at + n;
    return SQLITE_OK;
}

static int ram_truncate(sqlite3_file *h, sqlite3_int64 size)
{
    if (size < file_of(h)->size) file_of(h)->size = size;
    return SQLITE_OK;
}

static int ram_sync(sqlite3_file *h, int flags)
{
    (void)h;
    (void)flags;
    return SQLITE_OK;
}

static int ram_size(sqlite3_file *h, sqlite3_int64 *size)
{
    *size = file_of(h)->size;
    return SQLITE_OK;
}

static int ram_lock(sqlite3_file *h, int level)
{
    struct handle *me = handle_of(h);
    struct file *f = me->file;
    if (level <= me->level) return SQLITE_OK;
    if (f->exclusive && f->exclusive != me) return SQLITE_BUSY;
    if (level >= SQLITE_LOCK_RESERVED && f->reserved && f->reserved != me) return SQLITE_BUSY;
    if (me->level == SQLITE_LOCK_NONE) f->shared++;
    if (me->level < SQLITE_LOCK_SHARED) me->level = SQLITE_LOCK_SHARED;
    if (level >= SQLITE_LOCK_RESERVED) f->reserved = me;
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        if (f->shared > 1) return SQLITE_BUSY;
        f->exclusive = me;
    }
    me->level = level;
    return SQLITE_OK;
}

static int ram_unlock(sqlite3_file *h, int level)
{
    struct handle *me = handle_of(h);
    struct file *f = me->file;
    if (level >= me->level) return SQLITE_OK;
    if (f->exclusive == me) f->exclusive = NULL;
    if (f->reserved == me) f->reserved = NULL;
    if (level == SQLITE_LOCK_NONE) f->shared--;
    me->level = level;
    return SQLITE_OK;
}

static int ram_reserved(sqlite3_file *h, int *yes)
{
    *yes = file_of(h)->reserved != NULL;
    return SQLITE_OK;
}

static int ram_control(sqlite3_file *h, int op, void *arg)
{
    (void)h;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int ram_sector(sqlite3_file *h)
{
    (void)h;
    return 4096;
}

static int ram_traits(sqlite3_file *h)
{
    (void)h;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL;
}

/* ---- shared memory of the log ---- */

static int ram_shm_map(sqlite3_file *h, int region, int size, int extend, void volatile **out)
{
    struct file *f = file_of(h);
    if (region >= REGIONS_MAX) return SQLITE_NOMEM;
    if (f->regions[region] == NULL && extend) f->regions[region] = calloc(1, (size_t)size);
    *out = f->regions[region];
    return SQLITE_OK;
}

static int shm_lock_one(struct handle *me, int i, int flags)
{
    struct file *f = me->file;
    bool mine = me->shm_held & 1u << i;
    if (flags & SQLITE_SHM_UNLOCK) {
        if (flags & SQLITE_SHM_SHARED && mine) {
            f->shm_shared[i]--;
            me->shm_held &= ~(1u << i);
        }
        if (flags & SQLITE_SHM_EXCLUSIVE && f->shm_exclusive[i] == me) f->shm_exclusive[i] = NULL;
        return SQLITE_OK;
    }
    if (f->shm_exclusive[i] && f->shm_exclusive[i] != me) return SQLITE_BUSY;
    if (flags & SQLITE_SHM_EXCLUSIVE) {
        if (f->shm_shared[i] - mine > 0) return SQLITE_BUSY;
        f->shm_exclusive[i] = me;
    } else if (!mine) {
        f->shm_shared[i]++;
        me->shm_held |= 1u << i;
    }
    return SQLITE_OK;
}

static int ram_shm_lock(sqlite3_file *h, int from, int n, int flags)
{
    for (int i = from; i < from + n; i++) {
        if (shm_lock_one(handle_of(h), i, flags) == SQLITE_OK) continue;
        while (--i >= from) (void)shm_lock_one(handle_of(h), i, SQLITE_SHM_UNLOCK | (flags & ~SQLITE_SHM_LOCK));
        return SQLITE_BUSY;
    }
    return SQLITE_OK;
}

static void ram_shm_barrier(sqlite3_file *h) { (void)h; }

static int ram_shm_unmap(sqlite3_file *h, int remove)
{
    struct handle *me = handle_of(h);
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
        (void)shm_lock_one(me, i, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED | SQLITE_SHM_EXCLUSIVE);
    if (remove) forget_regions(me->file);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = ram_close,
    .xRead = ram_read,
    .xWrite = ram_write,
    .xTruncate = ram_truncate,
    .xSync = ram_sync,
    .xFileSize = ram_size,
    .xLock = ram_lock,
    .xUnlock = ram_unlock,
    .xCheckReservedLock = ram_reserved,
    .xFileControl = ram_control,
    .xSectorSize = ram_sector,
    .xDeviceCharacteristics = ram_traits,
    .xShmMap = ram_shm_map,
    .xShmLock = ram_shm_lock,
    .xShmBarrier = ram_shm_barrier,
    .xShmUnmap = ram_shm_unmap,
};

/* ---- the file system ---- */

static int ram_open(sqlite3_vfs *v, const char *name, sqlite3_file *out, int flags, int *flags_out)
{
    struct handle *h = handle_of(out);
    struct file *f = name ? find(name) : NULL;
    (void)v;
    *h = (struct handle){0};
    for (int i = 0; i < FILES_MAX && f == NULL; i++) {
        if (files[i].used) continue;
        f = &files[i];
        f->used = true;
        f->temporary = name == NULL;
        if (name && strlen(name) >= sizeof f->name) abort();
        if (name) memcpy(f->name, name, strlen(name) + 1);
    }
    if (f == NULL) return SQLITE_CANTOPEN;
    f->opened++;
    h->file = f;
    h->base.pMethods = &methods;
    if (flags_out) *flags_out = flags;
    return SQLITE_OK;
}

static int ram_delete(sqlite3_vfs *v, const char *name, int sync)
{
    struct file *f = find(name);
    (void)v;
    (void)sync;
    if (f) forget(f);
    return SQLITE_OK;
}

static int ram_access(sqlite3_vfs *v, const char *name, int flags, int *yes)
{
    (void)v;
    (void)flags;
    *yes = find(name) != NULL;
    return SQLITE_OK;
}

static int ram_full_name(sqlite3_vfs *v, const char *name, int n, char *out)
{
    (void)v;
    sqlite3_snprintf(n, out, "%s", name);
    return SQLITE_OK;
}

static int ram_random(sqlite3_vfs *v, int n, char *out)
{
    (void)v;
    memset(out, 7, (size_t)n); /* salts of the log only */
    return n;
}

static int ram_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    return us;
}

static int ram_time(sqlite3_vfs *v, double *days)
{
    (void)v;
    *days = 2440587.5 + (double)sim.now / (double)DAY_MS;
    return SQLITE_OK;
}

/* The store syncs the log by a descriptor of its own (store/sqlite.c): here an empty
 * file without a name does. The linker puts this in front of open. */
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list ap;
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, "-wal") == 0) return memfd_create("wal", MFD_CLOEXEC);
    va_start(ap, flags);
    int mode = va_arg(ap, int);
    va_end(ap);
    return __real_open64(path, flags, mode);
}

void ram_setup(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .szOsFile = sizeof(struct handle),
        .mxPathname = 60,
        .zName = "ram",
        .xOpen = ram_open,
        .xDelete = ram_delete,
        .xAccess = ram_access,
        .xFullPathname = ram_full_name,
        .xRandomness = ram_random,
        .xSleep = ram_sleep,
        .xCurrentTime = ram_time,
    };
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) abort();
}
