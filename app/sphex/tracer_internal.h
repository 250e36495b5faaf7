/* What tracer.c and tracer_text.c share. */
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

#endif
