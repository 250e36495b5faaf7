/* What tracer.c, tracer_log.c and tracer_line.c share. */
#ifndef SPX_TRACER_INTERNAL_H
#define SPX_TRACER_INTERNAL_H

#include "app/sphex/tracer.h"

#define SPX_TRACE_NUMBER_BITS 16u /* of an id: the packet's number, 1...count; above it the trace's */
static_assert(SPX_TRACE_MAX < 1u << SPX_TRACE_NUMBER_BITS, "a number for each packet");

struct spx_tracer {
	struct spx_filter *filter;
	uint64_t flag;                            /* of ol_flags */
	uint32_t count;                           /* packets asked for */
	uint32_t session;                         /* upper bits of the ids */
	struct rte_ring *ring[SPX_WATCH_THREADS]; /* of events, by thread; NULL: no such worker */
	atomic_uint chosen;                       /* may exceed count by packets that came too late */
	atomic_ulong lost;                        /* events */
};

#define SPX_TRACE_LINE 512u /* bytes of a line */

/* A line being written: the way's part, and behind it, or in its place, what belongs to the one packet. */
struct spx_trace_line {
	char way[SPX_TRACE_LINE], saw[SPX_TRACE_LINE];
	bool instead;
};

/* Fills *line. `before`: the frame as parse saw it, NULL where that is not known. */
void spx_trace_line(struct spx_trace_line *line, const struct spx_trace_event *e,
	const struct spx_trace_names *names, const struct spx_trace_frame *before);

const char *spx_trace_kind_name(enum spx_trace_kind kind);

#endif
