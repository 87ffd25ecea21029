/*
 * fuzz: one function per target. `./dev fuzz` lets libFuzzer invent the input;
 * `./dev test unit` replays the committed seeds through the same function
 * (replay.c), so that a finding, added to corpus/NAME, stays found.
 */
#ifndef BULLDOG_TESTS_FUZZ_H
#define BULLDOG_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert, but kept whatever the build. */
#define MUST(cond)                     \
    do {                               \
        if (!(cond)) __builtin_trap(); \
    } while (0)

#endif
