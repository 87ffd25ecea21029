/*
 * bench_agent: what the benchmark's agents run.
 *
 *   bench_agent stamp PORT          tells 127.0.0.1:PORT (UDP) when it was started
 *   bench_agent chatter RATE SEC    writes RATE lines a second, for SEC seconds
 *
 * A stamp is "RUN_ID NANOSECONDS" on the monotonic clock, which all processes
 * of a machine share; it is taken before anything else is done.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int stamp(const struct timespec *t, long port)
{
    const char *run = getenv("PAPERCLIP_RUN_ID");
    char text[128];
    int n = snprintf(text, sizeof text, "%s %lld", run ? run : "-", (long long)t->tv_sec * 1000000000 + t->tv_nsec);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&to, sizeof to) == n ? 0 : 1;
}

static int chatter(long rate, long seconds)
{
    long long pause = 1000000000LL / rate;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long i = 0; i < rate * seconds; i++) {
        if (dprintf(1, "line %ld of an agent that tells what it does, about as long as such lines are\n", i) < 0)
            return 1;
        long long at = next.tv_nsec + pause;
        next.tv_sec += (time_t)(at / 1000000000);
        next.tv_nsec = (long)(at % 1000000000);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0) continue;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct timespec started;
    clock_gettime(CLOCK_MONOTONIC, &started);
    long a = argc > 2 ? strtol(argv[2], NULL, 10) : 0, b = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    if (argc == 3 && strcmp(argv[1], "stamp") == 0 && a > 0 && a < 65536) return stamp(&started, a);
    if (argc == 4 && strcmp(argv[1], "chatter") == 0 && a > 0 && a <= 1000 && b > 0 && b < 86400) return chatter(a, b);
    fprintf(stderr, "usage: bench_agent stamp PORT | chatter RATE SECONDS\n");
    return 2;
}
