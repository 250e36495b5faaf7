/* Ended flows on their way from the workers to the slow path: one ring of records for each worker.
 *
 * A worker never waits for the slow path: a record that finds the ring full is lost, and counted where it was
 * lost. So what all flows had together is what the slow path has added up and what the workers have lost.
 */
#ifndef SPX_FLOW_EXPORT_H
#define SPX_FLOW_EXPORT_H

#include <rte_ring.h>

#include "lib/flow/flow.h"

/* Ended flows and what they had. Written by one thread with plain stores, read by any. */
struct spx_flow_sum {
	uint64_t flows, packets, bytes;
};

struct spx_flow_totals {
	struct spx_flow_sum ended[SPX_FLOW_END_COUNT];
};

/* A worker's end of its ring. */
struct spx_flow_export {
	struct rte_ring *ring;          /* to the slow path; NULL: straight into totals */
	struct spx_flow_totals *totals; /* of the slow path; used when it does not run */
	struct spx_flow_sum lost;       /* the ring was full */
};

/* A ring of `records` records for that worker; freed with rte_ring_free. NULL with the message. */
struct rte_ring *spx_flow_ring_create(uint16_t worker, uint32_t records, struct spx_error *err);

/* Of the type spx_flow_ended: hands a record on. arg is the worker's struct spx_flow_export. The worker. */
void spx_flow_export(void *arg, const struct spx_flow_record *record);

/* Takes up to a burst of records from a ring and adds them up. Returns how many. The slow path, or whoever
 * has seen it stop. */
unsigned spx_flow_collect(struct rte_ring *ring, struct spx_flow_totals *totals);

/* into += from, reading `from` while its owner may be writing. Any thread. */
void spx_flow_sum_add(struct spx_flow_sum *into, const struct spx_flow_sum *from);

#endif
