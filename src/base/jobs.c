/* jobs: a bounded pool of threads over one queue. */
#include "base/jobs.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    void (*fn)(void *arg);
    void *arg;
};

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *ring; /* queue_max slots; head is the oldest */
    int queue_max, head, waiting;
    bool stopping;
    int thread_count;
    pthread_t threads[];
};

static void *must_alloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (p == NULL) {
        fputs("bulldog: out of memory\n", stderr);
        abort();
    }
    return p;
}

/* The oldest job; false when the pool stops and nothing is left. */
static bool take(struct jobs *j, struct job *out)
{
    pthread_mutex_lock(&j->lock);
    while (j->waiting == 0 && !j->stopping) pthread_cond_wait(&j->work, &j->lock);
    bool got = j->waiting > 0;
    if (got) {
        *out = j->ring[j->head];
        j->head = (j->head + 1) % j->queue_max;
        j->waiting--;
    }
    pthread_mutex_unlock(&j->lock);
    return got;
}

static void *worker(void *arg)
{
    struct job job;
    while (take(arg, &job)) job.fn(job.arg);
    return NULL;
}

struct jobs *jobs_start(int threads, int queue_max)
{
    assert(threads > 0 && queue_max > 0);
    struct jobs *j = must_alloc(1, sizeof *j + sizeof j->threads[0] * (size_t)threads);
    j->ring = must_alloc((size_t)queue_max, sizeof *j->ring);
    j->queue_max = queue_max;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->work, NULL);
    for (; j->thread_count < threads; j->thread_count++) {
        if (pthread_create(&j->threads[j->thread_count], NULL, worker, j) == 0) continue;
        fputs("bulldog: cannot start a job thread (thread limit reached?)\n", stderr);
        abort();
    }
    return j;
}

bool jobs_submit(struct jobs *j, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&j->lock);
    bool room = j->waiting < j->queue_max && !j->stopping;
    if (room) {
        j->ring[(j->head + j->waiting) % j->queue_max] = (struct job){fn, arg};
        j->waiting++;
        pthread_cond_signal(&j->work);
    }
    pthread_mutex_unlock(&j->lock);
    return room;
}

int jobs_waiting(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    int n = j->waiting;
    pthread_mutex_unlock(&j->lock);
    return n;
}

void jobs_stop(struct jobs *j)
{
    if (j == NULL) return;
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_broadcast(&j->work);
    pthread_mutex_unlock(&j->lock);
    for (int i = 0; i < j->thread_count; i++) pthread_join(j->threads[i], NULL);
    pthread_cond_destroy(&j->work);
    pthread_mutex_destroy(&j->lock);
    free(j->ring);
    free(j);
}
