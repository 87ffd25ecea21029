/*
 * link: the server's connection, through `sock` in the run directory or the
 * socketpair the shim was born with. The newest connection is the server. It
 * never makes us wait: what does not fit is told later or, progress, not at all.
 */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PROGRESS_MS 50
#define LINE_MAX_IN 128

int link_listen_fd = -1, link_fd = -1;

static char in[LINE_MAX_IN];
static size_t n_in;
static char out_bytes[4 * SHIM_MESSAGE_MAX];
static struct text out = {.p = out_bytes, .cap = sizeof out_bytes, .fd = -1};
static bool progress_news;
static int64_t progress_at; /* not before */

static void link_drop(void)
{
    if (link_fd >= 0) close(link_fd);
    link_fd = -1;
    n_in = out.len = 0;
}

int link_setup(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = SHIM_FILE_SOCK};
    unlink(SHIM_FILE_SOCK);
    link_listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link_listen_fd < 0) return errno;
    mode_t mask = umask(0177);
    int error = bind(link_listen_fd, (struct sockaddr *)&addr, sizeof addr) < 0 ? errno : 0;
    umask(mask);
    if (error == 0 && listen(link_listen_fd, 8) < 0) error = errno;
    if (fcntl(SHIM_FD_CONN, F_GETFD) >= 0) { /* the server that started us */
        link_fd = SHIM_FD_CONN;
        fcntl(link_fd, F_SETFD, FD_CLOEXEC);
        fcntl(link_fd, F_SETFL, O_NONBLOCK);
    }
    return error;
}

void link_accept(void)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    int fd = accept4(link_listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    bool ours = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
    if (!ours) {
        close(fd);
        return;
    }
    link_drop();
    link_fd = fd;
    progress_news = true; /* whoever comes wants to know where the log is */
}

void link_write(void)
{
    while (link_fd >= 0 && out.len > 0) {
        ssize_t n = send(link_fd, out.p, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return; /* full, or gone: then reading tells */
        memmove(out.p, out.p + n, out.len - (size_t)n);
        out.len -= (size_t)n;
    }
}

bool link_wants_write(void) { return link_fd >= 0 && out.len > 0; }

static bool message_begin(const char *type)
{
    if (link_fd < 0 || out.cap - out.len < SHIM_MESSAGE_MAX) return false;
    text_puts(&out, "{");
    text_kstr(&out, "type", type);
    return true;
}

static void message_end(void)
{
    text_puts(&out, "}\n");
    link_write();
}

void link_tell_exit(void)
{
    if (message_begin(SHIM_TELL_EXIT)) message_end();
}

static void tell_state(void)
{
    if (run.pid > 0 && message_begin(SHIM_TELL_STATE)) {
        record_state_fields(&out);
        message_end();
    }
    if (run.recorded) link_tell_exit();
}

void link_news(void) { progress_news = true; }

void link_progress_due(int64_t now)
{
    if (link_fd < 0 || !progress_news || now < progress_at || out.len > 0) return;
    progress_news = false;
    progress_at = now + PROGRESS_MS;
    if (!message_begin(SHIM_TELL_PROGRESS)) return;
    text_kstr(&out, "phase", run.phase);
    text_kint(&out, "logBytes", run_log.bytes);
    text_kint(&out, "lastSeq", run_log.seq);
    text_kint(&out, "droppedBytes", run_log.dropped);
    text_ktime(&out, "lastOutputAt", run.last_output_at);
    text_kstr(&out, "lastOutputStream",
              run.last_stream < 0             ? NULL
              : run.last_stream == STREAM_OUT ? "stdout"
                                              : "stderr");
    message_end();
}

int64_t link_next_progress(void) { return link_fd >= 0 && progress_news && out.len == 0 ? progress_at : INT64_MAX; }

/* What a line asks for. */
static enum said line_said(char *line, int64_t *grace_ms)
{
    char *arg = strchr(line, ' ');
    if (arg) *arg++ = '\0';
    if (strcmp(line, SHIM_SAY_HELLO) == 0) tell_state();
    if (strcmp(line, SHIM_SAY_ACK) == 0) return SAID_ACK;
    if (strcmp(line, SHIM_SAY_CANCEL) != 0) return SAID_NOTHING;
    *grace_ms = arg ? strtoll(arg, NULL, 10) : 0;
    return SAID_CANCEL;
}

enum said link_read(int64_t *grace_ms)
{
    while (link_fd >= 0) {
        char *nl = memchr(in, '\n', n_in);
        if (nl) {
            char line[LINE_MAX_IN];
            size_t len = (size_t)(nl - in);
            memcpy(line, in, len);
            line[len] = '\0';
            n_in -= len + 1;
            memmove(in, nl + 1, n_in);
            enum said said = line_said(line, grace_ms);
            if (said != SAID_NOTHING) return said;
            continue;
        }
        if (n_in == sizeof in) n_in = 0; /* no word of ours is that long */
        ssize_t n = recv(link_fd, in + n_in, sizeof in - n_in, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return SAID_NOTHING;
        if (n <= 0) {
            link_drop();
            return SAID_GONE;
        }
        n_in += (size_t)n;
    }
    return SAID_NOTHING;
}
