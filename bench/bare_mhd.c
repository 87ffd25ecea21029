/*
 * bare_mhd PORT SIZE THREADS: libmicrohttpd alone, with the daemon flags and the
 * headers of our server, answering every request with the same SIZE bytes of
 * JSON: the ceiling that ./dev bench holds our answers against.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_len, void **con_cls)
{
    static int seen; /* a request is reported twice: headers, then complete */
    (void)url, (void)method, (void)version, (void)data;
    if (*con_cls == NULL) {
        *con_cls = &seen;
        return MHD_YES;
    }
    if (*data_len) {
        *data_len = 0;
        return MHD_YES;
    }
    return MHD_queue_response(conn, MHD_HTTP_OK, cls);
}

/* One answer for all requests: nothing of it is made per request. */
static struct MHD_Response *make_response(size_t size)
{
    static const char *const headers[][2] = {
        {"Content-Type", "application/json; charset=utf-8"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "same-origin"},
        {"X-Frame-Options", "SAMEORIGIN"},
        {"ETag", "W/\"0-0123456789abcdef\""},
        {"Keep-Alive", "timeout=185"},
    };
    char *body = malloc(size + 1);
    if (body == NULL) return NULL;
    memset(body, 'x', size);
    if (size >= 2) body[0] = body[size - 1] = '"';
    struct MHD_Response *resp = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    for (size_t i = 0; resp && i < sizeof headers / sizeof *headers; i++)
        if (MHD_add_response_header(resp, headers[i][0], headers[i][1]) == MHD_NO) return NULL;
    return resp;
}

static struct MHD_Daemon *start(long port, long threads, struct MHD_Response *resp)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, resp, MHD_OPTION_SOCK_ADDR, &at,
                            MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? (unsigned)threads : 0u,
                            MHD_OPTION_CONNECTION_LIMIT, 4000u, MHD_OPTION_CONNECTION_TIMEOUT, 185u,
                            MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
    long port = argc == 4 ? strtol(argv[1], NULL, 10) : 0, size = argc == 4 ? strtol(argv[2], NULL, 10) : -1;
    long threads = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    if (port <= 0 || port > 65535 || size < 0 || threads <= 0 || threads > 1000) {
        fprintf(stderr, "usage: bare_mhd PORT SIZE THREADS\n");
        return 2;
    }
    sigset_t until;
    sigemptyset(&until);
    sigaddset(&until, SIGINT);
    sigaddset(&until, SIGTERM);
    sigprocmask(SIG_BLOCK, &until, NULL); /* before the threads, which inherit it */
    struct MHD_Response *resp = make_response((size_t)size);
    struct MHD_Daemon *daemon = resp ? start(port, threads, resp) : NULL;
    if (daemon == NULL) {
        fprintf(stderr, "bare_mhd: cannot listen on 127.0.0.1 port %ld\n", port);
        return 1;
    }
    int sig;
    sigwait(&until, &sig);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(resp);
    return 0;
}
