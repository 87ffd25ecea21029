/*
 * answer_cache: answers that would come out the same again. The application
 * names what an answer depends on: a key (who asks for what) and the version
 * of the data it was made from. Only with both equal is it given again, so a
 * kept answer is never out of date; it just saves the work.
 *
 * Bytes are shared between the cache and the answers on their way, and go with
 * the last of them. Bounded: the answer that was not asked for the longest
 * goes first. Any thread.
 */
#ifndef BULLDOG_HTTP_ANSWER_CACHE_H
#define BULLDOG_HTTP_ANSWER_CACHE_H

#include "http/server.h"

struct answer_cache;
struct answer_cache *answer_cache_new(size_t bytes_max);
void answer_cache_free(struct answer_cache *c);

/* Answers the request from the cache; false: it is to be made, and if it is a 200 and not asked for the first time it
 * will be kept.
 * version 0: not known, nothing is kept. Encodings accepted by the client are part of the key by themselves. */
bool answer_cache_answer(struct answer_cache *c, struct http_req *r, const char *key, uint64_t version);

#endif
