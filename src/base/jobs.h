/*
 * jobs: a bounded pool of threads for work that may block (slow requests, git,
 * outbound HTTP, hashing). Order is not promised.
 */
#ifndef BULLDOG_BASE_JOBS_H
#define BULLDOG_BASE_JOBS_H

#include <stdbool.h>

struct jobs;
struct jobs *jobs_start(int threads, int queue_max);
/* false: the queue is full (the caller answers 503). fn runs once on a job thread. */
bool jobs_submit(struct jobs *j, void (*fn)(void *arg), void *arg) __attribute__((warn_unused_result));
int jobs_waiting(struct jobs *j);
/* Finishes what was accepted, then joins the threads. */
void jobs_stop(struct jobs *j);

#endif
