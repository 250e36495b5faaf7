/* The slow path: one lcore that handles what the workers could not finish.
 *
 * It takes exceptions from one ring, never owns a transmit queue, and gives packets back through one inject
 * ring per worker. It adds up the ended flows that the workers hand it.
 */
#ifndef SPX_SLOWPATH_H
#define SPX_SLOWPATH_H

#include <stdatomic.h>

#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include "app/sphex/flow_export.h"
#include "app/sphex/watch.h"
#include "lib/base/base.h"

struct spx_slowpath {
	struct rte_ring *exception;                  /* from all workers */
	struct rte_ring *inject[SPX_WORKERS_MAX];    /* to each worker */
	struct rte_ring *flow_ring[SPX_WORKERS_MAX]; /* records of ended flows, from each worker */
	uint16_t n_flow_rings;
	struct rte_rcu_qsbr *qsbr; /* of who publishes what `watcher` sees; NULL: nobody does */
	struct spx_watcher watcher;
	atomic_bool stop;
	atomic_bool idle; /* the last look at the exception ring found nothing, and no packet is in hand */
	struct spx_counters counters;
	struct spx_flow_totals flow_totals;
};

/* The loop of the slow-path lcore: until stop is set. */
void spx_slowpath_run(struct spx_slowpath *s);

/* One look at every ring: handles a burst of exceptions and one of records from each worker. Returns how many
 * packets and records those were. */
unsigned spx_slowpath_turn(struct spx_slowpath *s);

/* Hands a packet to a worker to go on at `stage` (parse, rewrite or enqueue); the rest of its spx_meta is
 * filled by the caller. When the worker's ring is full the packet is dropped (inject_ring_full) and freed. */
void spx_slowpath_inject(struct spx_slowpath *s, uint16_t worker, struct rte_mbuf *m, enum spx_stage stage);

#endif
