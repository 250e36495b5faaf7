/* What report.c, report_json.c and report_cache.c share. */
#ifndef SPX_REPORT_INTERNAL_H
#define SPX_REPORT_INTERNAL_H

#include "app/sphex/report.h"

/* What the port's device counted itself. */
struct spx_port_stats spx_report_port_stats(const struct spx_appliance *app, uint16_t p);

/* Rate, limits and counters of a port's queue as a JSON object (new reference); NULL where the port has none.
 */
json_t *spx_report_queue(const struct spx_appliance *app, uint16_t p);

static inline json_t *
spx_report_number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

#endif
