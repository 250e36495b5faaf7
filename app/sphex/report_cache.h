/* The flow caches' part of a report; report.c puts it with the rest. */
#ifndef SPX_REPORT_CACHE_H
#define SPX_REPORT_CACHE_H

#include <stdio.h>

#include <jansson.h>

#include "app/sphex/appliance.h"

/* What the caches of all workers did and hold, added up. */
struct spx_cache_report {
	enum spx_flow_mode mode;
	uint64_t flood_guard; /* new flows a second and worker; 0 = none */
	struct spx_flow_counters counters;
	struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES];
	struct spx_flow_approximate_stats approximate;
	struct spx_flow_totals totals; /* ended flows that the slow path has seen */
	struct spx_flow_sum lost;      /* ended flows whose records found the ring full */
};

/* Any thread, while workers run or after. */
void spx_cache_report_take(const struct spx_appliance *app, struct spx_cache_report *report);

/* After the end: every packet that the caches counted is in the sum of an ended flow, and no more packets
 * were looked up than went through the stage lookup (`packets`). 0, or -EPROTO and the sums. */
int spx_cache_report_check(const struct spx_cache_report *report, uint64_t packets, struct spx_error *err);

/* Packets looked up in the caches; *hits of them were answered without the rules. */
uint64_t spx_cache_lookups(const struct spx_cache_report *report, uint64_t *hits);

void spx_cache_report_text(const struct spx_cache_report *report, FILE *out);
json_t *spx_cache_report_json(const struct spx_cache_report *report); /* new reference */

#endif
