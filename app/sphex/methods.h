/* The methods that show and change a running appliance, for the table in methods.c; doc/control.md says what
 * each takes and returns.
 *
 * Each is a `run` of struct spx_method (rpc.h). Those that are said to wait belong on a thread of their own
 * (`slow`): they wait for a grace period, or take milliseconds with large tables.
 */
#ifndef SPX_METHODS_H
#define SPX_METHODS_H

#include "app/sphex/rpc.h"

/* ---- methods_show.c: counters ---------------------------------------------------------------------- */

int spx_method_show_version(struct spx_call *call, json_t **result);
int spx_method_show_ports(struct spx_call *call, json_t **result);
int spx_method_show_stages(struct spx_call *call, json_t **result);
int spx_method_show_drops(struct spx_call *call, json_t **result);
int spx_method_show_cache(struct spx_call *call, json_t **result);

#endif
