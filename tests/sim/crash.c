/*
 * crash: the server dies between two statements. From then on no statement of
 * this life succeeds: every caller up the stack gives up, what was not
 * committed is rolled back by the reopening, and memory is thrown away.
 */
#include "sim.h"

err_t crash_hook(void *ctx, struct arena *a, const char *sql)
{
    (void)ctx;
    if (!sim.calm && rarely(100) == 0)
        sim.now += rarely(200) == 0 ? rarely(90 * SECOND_MS) : rarely(100); /* a slow disk */
    if (sim.armed && !sim.dead && sim.kill_in-- <= 0) {
        sim.dead = true;
        decide("  killed before: %.100s", sql);
    }
    return sim.dead ? err_new(a, ERR_UNAVAILABLE, "the server is dead") : OK;
}

void crash_arm(void)
{
    static const int64_t reach[] = {3, 12, 40, 150};
    sim.armed = true;
    sim.kill_in = below(reach[below(4)]);
}
