/* The slow path: one lcore that handles what the workers could not finish.
 *
 * It takes exceptions from one ring, never owns a transmit queue, and gives packets back through one inject
 * ring per worker.
 */
#ifndef SPX_SLOWPATH_H
#define SPX_SLOWPATH_H

#include <stdatomic.h>

#include <rte_ring.h>

#include "lib/base/base.h"

struct spx_slowpath {
	struct rte_ring *exception;               /* from all workers */
	struct rte_ring *inject[SPX_WORKERS_MAX]; /* to each worker */
	atomic_bool stop;
	atomic_bool idle; /* the last look at the ring found nothing, and nothing is in hand */
	struct spx_counters counters;
};

/* The loop of the slow-path lcore: until stop is set. */
void spx_slowpath_run(struct spx_slowpath *s);

/* One look at the exception ring: handles a burst, returns the packets handled. */
unsigned spx_slowpath_turn(struct spx_slowpath *s);

/* Hands a packet to a worker to go on at `stage` (parse, rewrite or enqueue); the rest of its spx_meta is
 * filled by the caller. When the worker's ring is full the packet is dropped (inject_ring_full) and freed. */
void spx_slowpath_inject(struct spx_slowpath *s, uint16_t worker, struct rte_mbuf *m, enum spx_stage stage);

#endif
