/*
 * shim_kit: runs as tests need them: a shell script in a home of its own, the
 * real bulldog-shim, and what its link told.
 */
#ifndef BULLDOG_TESTS_SHIM_KIT_H
#define BULLDOG_TESTS_SHIM_KIT_H

#include "unit.h"

#include "adapter/shim_log.h"
#include "adapter/shim_tree.h"

#define WAIT_MS 15000

extern const char *shim_path;
extern const char *home;   /* a fresh directory for this program */
extern bool shim_is_small; /* static, and without a sanitizer in it */

/* One run of a test: its order, its link, and what it told. */
struct rig {
    struct arena a;
    const char *id, *dir;
    struct shim_spec spec;
    struct shim_link link;
    const char *argv[8], *env[8];
    bool started, ended, gone;
    struct shim_state state;
    struct shim_progress progress;
    int n_progress;
    struct shim_exit exit;
};

struct rig *given(const char *script); /* a run of /bin/sh -c script, not yet started */
void start(struct rig *r);
void listen_now(struct rig *r);              /* take what the shim has said */
void until(struct rig *r, const bool *what); /* listen until *what, or fail */
void finish(struct rig *r);                  /* until it has ended; reads the exit record */
void start_and_finish(struct rig *r);
void drop(struct rig *r); /* the link, as a server does that goes down */
void done(struct rig *r); /* acknowledge, forget the rig */

void must(err_t e); /* fail the test with the error's text */
int64_t now_ms(void);
void nap(int ms);
char *file_text(struct arena *a, const char *path); /* "" when there is none */
/* The log's chunks of a stream, joined; seq must have no gap. */
char *log_of(struct rig *r, const char *stream, size_t *records);
bool alive(pid_t pid);                              /* and no zombie */
pid_t pid_left_in(struct rig *r, const char *name); /* what the script wrote to that file of the home */

/* The tests of a file, with a home that is removed in the end. */
int rig_main(const struct CMUnitTest *tests, size_t n);

#endif
