/* The inside of a worker's flow cache: cache.c answers and learns, cache_control.c does the rest. */
#ifndef SPX_FLOW_CACHE_H
#define SPX_FLOW_CACHE_H

#include "lib/flow/flow.h"
#include "lib/flow/guard.h"
#include "lib/flow/repeats.h"

struct spx_flow_cache {
	/* constant */
	enum spx_flow_mode mode;
	uint32_t idle_ms;
	struct spx_flow_exact *exact[SPX_FLOW_FAMILIES]; /* NULL in a mode without */
	unsigned n_filters;
	struct spx_flow_approximate *filter[SPX_FLOW_ACTIONS_MAX]; /* [0] the doorkeeper, or by action id */

	/* the owner's */
	uint32_t generation;
	uint32_t now_ms;
	bool timed;                            /* now_ms has been set */
	uint64_t sweep_due[SPX_FLOW_FAMILIES]; /* sets to sweep, times idle_ms */
	struct spx_flow_guard guard;
	struct spx_flow_repeats repeats;    /* of the last lookup */
	uint64_t yes[SPX_FLOW_ACTIONS_MAX]; /* mode approximate: what each filter said in it */

	struct spx_flow_counters counters; /* the owner writes, any thread reads */
};

#endif
