/* A worker: one pinned lcore that takes packets from its queues through the stages.
 *
 * appliance_wiring.c wires workers to ports and rings; everything in the first part of the struct is constant
 * while the worker runs. Benchmarks and tests wire one by hand and call spx_worker_turn.
 */
#ifndef SPX_WORKER_H
#define SPX_WORKER_H

#include <stdatomic.h>

#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include "app/sphex/config.h"
#include "app/sphex/flow_export.h"
#include "app/sphex/watch.h"
#include "drivers/port.h"
#include "lib/net/net.h"
#include "lib/queue/queue.h"

/* One of the worker's receive queues. */
struct spx_worker_rx {
	struct spx_port *port;
	uint16_t queue;
	uint32_t bursts; /* received; one in SPX_SAMPLE_EVERY is timed */
	struct spx_net_options net;
};

/* How the worker reaches an output port: a transmit queue of its own, or a ring to the worker that owns one.
 */
struct spx_worker_tx {
	struct spx_port *port; /* NULL: no such port, or it does not send */
	uint16_t queue;
	struct rte_ring *handover;    /* NULL: own queue */
	struct spx_queue *port_queue; /* packets wait in it for the port's rate; NULL: the port is not shaped.
					 Used by the port's owner (handover NULL), looked at by others */
};

/* A ring from which this worker, as the owner of the port, transmits for another. */
struct spx_worker_handover {
	struct rte_ring *ring;
	uint16_t port;
};

/* Packets on their way to one port: filled by enqueue, emptied by transmit. A burst and its mirror copies
 * fit. */
struct spx_tx_batch {
	uint16_t n;
	struct rte_mbuf *pkt[2 * SPX_BURST_MAX];
};

/* Packets and bytes of an action that asks to be counted. */
struct spx_action_counter {
	uint64_t packets, bytes;
};

/* How far the worker has to go: set by the control thread, in this order. */
enum spx_phase { SPX_PHASE_RUN, SPX_PHASE_DRAIN, SPX_PHASE_STOP };

/* What a stage is asked for beyond its work. A burst with traced packets is not timed: writing down takes
 * time. */
enum spx_attention { SPX_ATTENTION_NONE, SPX_ATTENTION_CLOCK, SPX_ATTENTION_TRACE };

struct spx_worker {
	/* constant while it runs */
	uint16_t id;
	uint16_t burst; /* packets asked of a queue at once */
	uint16_t n_rx, n_handover;
	bool sleeps;                            /* idle policy */
	struct spx_worker_rx rx[SPX_PORTS_MAX]; /* at most one queue of each port */
	struct spx_worker_handover handover[SPX_WORKERS_MAX * SPX_PORTS_MAX];
	struct spx_worker_tx tx[SPX_PORTS_MAX];
	uint64_t shaped;            /* set of ports with a port queue that this worker owns */
	struct rte_ring *exception; /* to the slow path; many producers */
	struct rte_ring *inject;    /* from the slow path; NULL: none */
	struct spx_net_options inject_net[SPX_PORTS_MAX]; /* by input port, for injected packets */
	struct rte_mempool *pool;                         /* mirror copies */
	struct rte_rcu_qsbr *qsbr;                        /* NULL: nobody publishes (benchmarks) */
	struct spx_config *_Atomic *config; /* where the publisher puts the configuration in force */
	_Atomic int *phase;                 /* enum spx_phase */
	struct spx_flow_cache *cache;       /* the worker's own, freed by who wired it */
	uint64_t tsc_zero;                  /* TSC that times of flows count from */
	uint64_t ms_per_tsc;                /* milliseconds in 2^64 TSC cycles */
	struct spx_watcher watcher;         /* who looks at the packets */
	const uint64_t *ports_up;           /* set of ports with a link, the control thread's; NULL: all */
	struct spx_neighbours *neighbours;  /* the slow path's, to look up in; NULL: there is no routing */

	/* the worker's own */
	const struct spx_config *now; /* configuration of this burst */
	uint64_t batch_ports;         /* set of ports whose batch is not empty */
	uint64_t tsc;                 /* stage clock, when sampling */
	uint32_t injections;          /* runs of injected packets; timed as the bursts of a queue are */
	uint32_t idle_turns;          /* in a row */
	uint64_t up;                  /* ports with a link, of this turn */
	uint32_t told_at;             /* flow_time when errors_left was filled up last */
	uint32_t errors_left; /* packets that the slow path may still be given to tell their senders (ICMP) */
	uint8_t attention;    /* enum spx_attention: what the stages of this burst are asked for */
	atomic_bool drained;  /* phase DRAIN seen, and nothing was left at the last turn */
	struct spx_clock clock; /* of the queues of shaped ports */
	struct spx_burst b;
	struct spx_tx_batch batch[SPX_PORTS_MAX];
	struct spx_action_counter *action_counter; /* by action id */
	struct spx_flow_export flow_export;        /* of the cache */
	struct spx_counters counters;
} __rte_cache_aligned;

#define SPX_SAMPLE_EVERY 16u
#define SPX_ERRORS_A_SECOND                                                                                  \
	200u /* of each worker: packets punted so that their senders are told (ICMP errors) */

/* One turn of the loop: a burst from each receive queue, then the rings. Returns the packets handled. */
unsigned spx_worker_turn(struct spx_worker *w);

/* The loop: turns until phase STOP. Runs on the worker's lcore (an rte_eal lcore function); arg = the worker.
 */
int spx_worker_run(void *arg);

#endif
