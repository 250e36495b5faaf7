/* Counters of an interval: the appliance never clears them, who wants an interval subtracts. */
#ifndef SPX_CTL_SINCE_H
#define SPX_CTL_SINCE_H

#include <jansson.h>

/* Makes `now`, a result of show.ports, .stages, .drops or .cache, what was counted since `then`, an earlier
 * result of the same method. What is no counter (ids, tables' sizes, flows resident) stays as it is now;
 * elements of arrays are found by their name, which may be new. A counter that ran backwards becomes 0. */
void spx_since(json_t *now, const json_t *then);

#endif
