/* The appliance: ports, workers, slow path and rings of one run, and who wires them.
 *
 *   eal.c               starts DPDK once per process
 *   appliance.c         builds the whole and frees it
 *   publish.c           makes configurations of rules, routes and addresses, and puts them in force
 *   appliance_ports.c   makes the mbuf pool, opens ports
 *   appliance_wiring.c  makes workers and ties them to queues and rings
 *   appliance_caches.c  gives workers their flow caches, and flushes them at the end
 *   captures.c          which captures there are
 *   slowpath.c          the slow-path lcore
 *   conditions.c        says what is not as it should be
 *   control.c           the control thread: signals, clients, live view, when to stop, how to drain
 *   drain.c             what is still in rings at the end
 *   server.h            who can ask a running appliance, and how
 *   report.c            what was counted: merged, checked, as text
 *   report_json.c       the same as JSON, and into a file
 *   report_cache.c      the flow caches' part of both
 */
#ifndef SPX_APPLIANCE_H
#define SPX_APPLIANCE_H

#include <pthread.h>

#include "app/sphex/captures.h"
#include "app/sphex/conditions.h"
#include "app/sphex/setup.h"
#include "app/sphex/slowpath.h"
#include "app/sphex/worker.h"
#include "lib/queue/queue.h"

struct spx_server;

struct spx_appliance {
	const struct spx_setup *setup;
	struct rte_mempool *pool;
	struct spx_port port[SPX_PORTS_MAX];
	uint16_t n_ports, n_workers;
	struct spx_worker *worker[SPX_WORKERS_MAX];
	struct spx_slowpath slowpath;
	struct rte_ring *exception;
	struct rte_ring
		*handover[SPX_WORKERS_MAX][SPX_PORTS_MAX]; /* [from worker][port]; NULL where not needed */
	struct spx_queue *queue[SPX_PORTS_MAX]; /* of the shaped ports; NULL: the port is not. Any thread may
						   change rate and limits (spx_queue_set; one at a time) */
	struct spx_hash_seed seed;
	uint64_t tsc_zero; /* TSC at the creation: times of flows count from it */

	struct rte_rcu_qsbr *qsbr;
	struct spx_rule_table *rules;
	struct spx_route_table *routes;    /* NULL: there is no routing */
	struct spx_neighbours *neighbours; /* written by the slow path; NULL: there is no routing */
	pthread_mutex_t address_lock;      /* of those who change addresses or routes */
	struct {                           /* what the next configuration is made of */
		pthread_mutex_t lock;
		const struct spx_rules *rules;
		const struct spx_routes *routes;
		struct spx_address_list addresses;
	} latest;
	uint64_t ports_up;         /* set of ports with a link: the control thread writes, workers read */
	_Atomic uint64_t disabled; /* set of ports that are down because a client said so */
	struct spx_config *_Atomic config; /* in force; for workers, others may see it freed */
	_Atomic uint64_t generation;       /* of the configuration in force; for everybody */
	_Atomic int phase;                 /* enum spx_phase */

	struct {
		pthread_mutex_t lock;                /* of those who publish */
		const struct spx_watch *_Atomic now; /* NULL: nobody looks */
	} watching;

	struct spx_captures captures;     /* under way, or ended and not stopped */
	struct spx_conditions conditions; /* the control thread's */
	struct spx_server *server;        /* of the control protocol, made by the run; or NULL */

	struct spx_counters leftover; /* the control thread's: packets that could not be drained (stopping) */
	uint64_t begun, ended;        /* CLOCK_MONOTONIC ns; ended 0 while running */
};

/* Starts EAL for this setup: memory, lcores (0 = slow path, 1...N = workers). Once per process. 0 or a
 * negative errno with the remedy. */
int spx_eal_start(const struct spx_setup *setup, struct spx_error *err);

/* Ends EAL and removes what it leaves in the file system. */
void spx_eal_stop(void);

/* Whether this machine has the CPUs that the setup names. 0, or -EINVAL with the JSON path. Before or after
 * the start. */
int spx_eal_check(const struct spx_setup *setup, struct spx_error *err);

/* Builds everything a run needs; nothing moves yet. Undone by spx_appliance_free. The setup outlives it. */
int spx_appliance_create(const struct spx_setup *setup, struct spx_appliance **out, struct spx_error *err);

/* Runs until a signal, a client's word (as SIGTERM), the end of setup->seconds, or the end of every replay;
 * drains; returns with everything stopped. live: show what goes on once a second. Returns the signal that
 * ended the run, 0, or a negative errno when it did not begin. */
int spx_appliance_run(struct spx_appliance *app, bool live, struct spx_error *err);

/* Closes ports and frees all. 0, or what a port could not say before (a damaged trace, a write error). */
int spx_appliance_free(struct spx_appliance *app, struct spx_error *err);

/* After workers and slow path have stopped: ends every flow and leaves all of them in the slow path's totals
 * or in what workers have lost. */
void spx_appliance_flush_caches(struct spx_appliance *app);

/* Whose a route is, for spx_route.origin. */
enum { SPX_ORIGIN_STATIC, SPX_ORIGIN_ADDRESS };

/* Puts an address on a port, or takes it away, with the routes that belong to it; in force when it returns.
 * What lib/route says, -EEXIST, -ENOENT and so on. Control threads, not the slow path; waits for a grace
 * period. */
int spx_appliance_add_address(
	struct spx_appliance *app, const struct spx_address *address, struct spx_error *err);
int spx_appliance_remove_address(
	struct spx_appliance *app, const struct spx_address *address, struct spx_error *err);

/* CLOCK_MONOTONIC in ns. */
uint64_t spx_now_ns(void);

#endif
