/* What was counted: merged over lcores, checked, and written as text and as JSON. */
#ifndef SPX_REPORT_H
#define SPX_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include "app/sphex/appliance.h"
#include "app/sphex/human.h"
#include "app/sphex/report_cache.h"

struct spx_report {
	struct spx_counters workers; /* sum over workers */
	struct spx_counters slowpath;
	uint64_t in_flight; /* packets in hand-over rings and port queues, by looking at them */
	uint64_t queued;    /* packets in exception and inject rings, by looking at the rings */
	struct spx_cache_report cache;
	double seconds;
};

/* Reads all counters and rings. While workers run, packets on their way make the sums differ a little; after
 * the end they are exact. Any thread. */
void spx_report_take(const struct spx_appliance *app, struct spx_report *report);

/* 0 when the counters add up (base.h, report_cache.h), else -EPROTO and the sums. For a report taken after
 * the end. */
int spx_report_check(const struct spx_report *report, struct spx_error *err);

/* The final report for a person. */
void spx_report_text(const struct spx_report *report, const struct spx_appliance *app, FILE *out);

/* The same as a JSON object (new reference), `file` being the trace or NULL; NULL for want of memory. */
json_t *spx_report_json(const struct spx_report *report, const struct spx_appliance *app, const char *file);

/* A JSON string of any bytes, new reference; NULL for want of memory. */
json_t *spx_report_string(const char *text);

/* Writes a JSON document to path; a regular file whole or not at all. 0 or a negative errno. */
int spx_report_write(const json_t *document, const char *path, struct spx_error *err);

/* Cycles per packet of a stage from its sampled bursts; 0 when none was sampled. */
double spx_stage_cycles(const struct spx_stage_counter *stage);

#endif
