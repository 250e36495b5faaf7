/* When to say that a worker's flood guard holds new flows off, and when that it does no more.
 *
 * What counts is the state at the time of asking against the state last said, not what happened in between:
 * so the last line said is right, or will be within SPX_GUARD_WATCH_NS. A guard that goes on and off faster
 * than that costs one line in that time.
 */
#ifndef SPX_GUARD_WATCH_H
#define SPX_GUARD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define SPX_GUARD_WATCH_NS UINT64_C(1000000000) /* least time between two lines of one worker */

/* Of one worker; all zero at the start. */
struct spx_guard_watch {
	bool on;       /* as last said */
	uint64_t next; /* no line before this time, ns */
};

/* `on` and `off`: how often the guard has begun and ended, so it is on when the first is more; now_ns counts
 * from any moment. True when watch->on has changed and is to be said. */
static inline bool
spx_guard_watch(struct spx_guard_watch *watch, uint64_t on, uint64_t off, uint64_t now_ns)
{
	if ((on > off) == watch->on || now_ns < watch->next)
		return false;
	watch->on = on > off;
	watch->next = now_ns + SPX_GUARD_WATCH_NS;
	return true;
}

#endif
