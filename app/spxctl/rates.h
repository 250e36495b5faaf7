/* Tables of what happened in an interval, per second. */
#ifndef SPX_CTL_RATES_H
#define SPX_CTL_RATES_H

#include "app/spxctl/table.h"

/* One thing to watch. */
struct spx_rates {
	const char *name; /* as in "show" */

	/* The table (the caller frees it) of `last`, what was counted in the last `seconds` (spx_since),
	 * where `total` is the result as it is now. */
	struct spx_table *(*table)(const json_t *total, const json_t *last, double seconds);
};

/* Ends with a NULL name. */
extern const struct spx_rates spx_rates[];

/* The flows of a result with the bytes and packets of the interval: `now` becomes that. Flows are not
 * counters: they come and go, and only the largest are listed, so they are found by what they are. */
void spx_rates_flows_since(json_t *now, const json_t *then);

#endif
