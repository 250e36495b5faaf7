/* The slow path: one lcore that handles what the workers could not finish.
 *
 *   slowpath.c         the loop, and which exception goes where
 *   slow_neighbour.c   packets that wait for a neighbour's MAC address; ageing
 *   slow_arp.c         ARP
 *   slow_nd.c          IPv6 neighbour discovery
 *   slow_icmp.c        what is for this node: echo; the rest is handed on
 *   slow_refuse.c      ICMP errors to the senders of packets that end here
 *   slow_send.c        frames on their way back to a worker; who may be answered
 *
 * It takes exceptions from one ring, never owns a transmit queue, and gives packets back through one inject
 * ring per worker. It adds up the ended flows that the workers hand it. It is the one writer of the neighbour
 * table.
 *
 * Answers (echo replies, ICMP errors) go back by the port and to the MAC address that the packet came from:
 * no look-up is made, no rule can send them elsewhere, and a forged source gets no more than the neighbour
 * that forwarded it.
 */
#ifndef SPX_SLOWPATH_H
#define SPX_SLOWPATH_H

#include <stdatomic.h>

#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include "app/sphex/config.h"
#include "app/sphex/flow_export.h"
#include "app/sphex/setup.h"
#include "app/sphex/watch.h"
#include "lib/base/base.h"

#define SPX_SLOW_WAITING_MAX 16u   /* packets that wait for one neighbour */
#define SPX_SLOW_ALL_WAITING 1024u /* for all of them together */
#define SPX_SLOW_ANSWERS     1000u /* ICMP errors a second, and at once; echo replies: the same */

/* Packets that wait for one neighbour, in the order they came. */
struct spx_slow_waiting {
	uint16_t n;
	struct rte_mbuf *pkt[SPX_SLOW_WAITING_MAX];
};

/* A neighbour that exceptions asked for though it is known: a next hop begins without. */
struct spx_slow_known {
	uint64_t word;
	uint16_t port;
	uint8_t family; /* enum spx_route_family */
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES];
};

/* Answers that may still be given: filled up by SPX_SLOW_ANSWERS a second. */
struct spx_slow_budget {
	uint64_t refilled_ms;
	uint32_t left;
};

struct spx_slowpath {
	/* constant while it runs */
	struct rte_ring *exception;                  /* from all workers */
	struct rte_ring *inject[SPX_WORKERS_MAX];    /* to each worker */
	struct rte_ring *flow_ring[SPX_WORKERS_MAX]; /* records of ended flows, from each worker */
	uint16_t n_flow_rings;
	uint16_t n_workers;
	uint16_t local_port;       /* to the kernel, mostly a TAP device; SPX_NO_PORT: none */
	struct rte_rcu_qsbr *qsbr; /* of who publishes what `watcher` and `config` see; NULL: nobody does */
	struct spx_config *_Atomic *config;
	struct spx_neighbours *neighbours; /* NULL: there is no routing */
	struct spx_slow_waiting *waiting;  /* by index of the neighbour */
	struct rte_ring
		*changes; /* struct spx_slow_change *, of configured neighbours, from control threads */
	uint64_t mute; /* set of ports that never send: answers that would go there are dropped (port_down) */
	struct rte_mempool *pool;      /* of the packets that it makes */
	uint64_t tsc_zero, ms_per_tsc; /* its clock: as the workers' (worker.h) */

	/* its own */
	const struct spx_config *now; /* configuration of this turn */
	struct spx_watcher watcher;
	uint64_t now_ms, ticked_ms;
	struct spx_slow_budget errors, echoes;
	uint64_t n_waiting;                         /* of all neighbours; any thread reads */
	struct spx_slow_known known[SPX_BURST_MAX]; /* of this burst of exceptions: the next hops learn it */
	uint16_t n_known;
	uint32_t full_bursts; /* of exceptions, in a row */
	atomic_bool stop;
	atomic_bool idle; /* the last look at the exception ring found nothing, and no packet is in hand */
	struct spx_counters counters;
	struct spx_flow_totals flow_totals;
};

/* Rings and memory for routing; everything above "its own" but n_flow_rings, waiting and changes is filled
 * before. 0 or -ENOMEM. Undone by spx_slowpath_free. */
int spx_slowpath_create(struct spx_slowpath *s, struct spx_error *err);
void spx_slowpath_free(struct spx_slowpath *s);

/* The loop of the slow-path lcore: until stop is set. */
void spx_slowpath_run(struct spx_slowpath *s);

/* One look at every ring: handles a burst of exceptions and one of records from each worker. Returns how many
 * packets and records those were. */
unsigned spx_slowpath_turn(struct spx_slowpath *s);

/* Hands a packet to a worker to go on at `stage` (parse, rewrite or enqueue); the rest of its spx_meta is
 * filled by the caller. When the worker's ring is full the packet is dropped (inject_ring_full) and freed. */
void spx_slowpath_inject(struct spx_slowpath *s, uint16_t worker, struct rte_mbuf *m, enum spx_stage stage);

/* Makes a neighbour permanent with this MAC address, or (not add) takes it out; done at the slow path's next
 * turn. Any control thread. 0; -ENOMEM; -EBUSY: too many changes wait; -EOPNOTSUPP: there is no routing. */
int spx_slowpath_set_neighbour(
	struct spx_slowpath *s, const struct spx_setup_neighbour *neighbour, bool add, struct spx_error *err);

/* After everything has stopped: drops the packets that still wait for neighbours (stopping). Returns how
 * many. */
uint64_t spx_slowpath_drop_waiting(struct spx_slowpath *s);

#endif
