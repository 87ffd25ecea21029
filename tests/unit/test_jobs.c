/* jobs: everything accepted runs once, and a full queue says so. */
#include "unit.h"

#include "base/jobs.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int ran;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void count(void *arg) { atomic_fetch_add(&ran, *(int *)arg); }

static void wait_at_gate(void *arg)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    count(arg);
}

static void runs_everything_it_accepted_before_it_stops(void **state)
{
    (void)state;
    atomic_store(&ran, 0);
    int one = 1, accepted = 0;
    struct jobs *j = jobs_start(4, 100000);
    for (int i = 0; i < 20000; i++) accepted += jobs_submit(j, count, &one);
    jobs_stop(j);
    assert_int_equal(accepted, 20000);
    assert_int_equal(atomic_load(&ran), 20000);
}

static void says_when_the_queue_is_full(void **state)
{
    (void)state;
    enum { THREADS = 2, QUEUE = 8, TRIES = 50 };
    atomic_store(&ran, 0);
    int one = 1, accepted = 0;
    struct jobs *j = jobs_start(THREADS, QUEUE);
    pthread_mutex_lock(&gate); /* nobody gets done */
    for (int i = 0; i < TRIES; i++) accepted += jobs_submit(j, wait_at_gate, &one);
    assert_in_range(accepted, QUEUE, QUEUE + THREADS);
    assert_in_range(jobs_waiting(j), QUEUE - THREADS, QUEUE);
    pthread_mutex_unlock(&gate);
    jobs_stop(j);
    assert_int_equal(atomic_load(&ran), accepted);
}

UNIT_MAIN(NULL, cmocka_unit_test(runs_everything_it_accepted_before_it_stops),
          cmocka_unit_test(says_when_the_queue_is_full))
