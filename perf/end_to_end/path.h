/* What the benchmarks of the whole way share: one worker of ours and the reference loop, each on a
 * self-looped port of its own, with the same packets of N flows and 1,000 rules of which none drops. Ours
 * keeps its counters and sampled stage clocks; each rule has an action that sets both MAC addresses,
 * decrements the TTL and counts.
 *
 * path.c is the table of benchmarks, path_setup.c makes what is on either side and runs it, operate.c looks
 * at it, path_cache.c the flow cache of ours, with the state it has to reach, path_route.c the routes.
 */
#ifndef SPX_PERF_PATH_H
#define SPX_PERF_PATH_H

#include <rte_dev.h>

#include "app/sphex/worker.h"
#include "perf/bench.h"
#include "perf/reference/reference.h"

#define PATH_RULES     1000
#define PATH_OCCUPANCY 0.85      /* of the reference's table */
#define PATH_ATTACKED  (1 << 16) /* entries of both sides' tables under attack */
#define PATH_ROUTES    10000

/* bench.variant: enum spx_flow_mode of ours, whether there are far more flows than entries, whether the
 * actions say route. */
#define PATH_ATTACK 0x100u
#define PATH_ROUTED 0x200u

/* What the flows said that have left the cache. */
struct path_ended {
	uint64_t flows, packets;
};

struct path {
	struct spx_port port; /* ours; first, so that its functions find the rest */
	struct bench_context *context;
	enum spx_flow_mode mode;
	bool attack, routed;
	struct packets_flows flows;
	struct spx_rule_list list;
	/* By size and variant: net_ring leaves its rings behind when it is closed, and their names taken. */
	char our_device[RTE_DEV_NAME_MAX_LEN], their_device[RTE_DEV_NAME_MAX_LEN];

	/* ours */
	struct spx_port_ops ops; /* of the driver, its rx_burst refreshing the packets */
	struct rte_mempool *pool;
	struct spx_rules *rules;
	struct spx_config *config;
	struct spx_config *_Atomic in_force;
	_Atomic int phase;
	struct spx_worker *worker;
	struct packets_flows round; /* the flows that come round: all, or the first of them in the warm-up */
	uint32_t next;              /* flow of the next packet */
	uint64_t turns, start;      /* start: TSC that the cache's milliseconds count from */
	uint64_t offered;           /* packets asked of it */
	struct path_ended ended;
	struct spx_route_table *table;  /* routed */
	struct reference_route *routes; /* the same for theirs */

	/* ours at the end of the warm-up */
	uint64_t warm_offered;
	struct spx_flow_counters warm;

	/* theirs */
	struct reference_port their_port;
	struct reference *reference;
	uint64_t their_offered;
};

/* Everything of one row but the warm-up. 0 or a negative errno; on an error it is freed. */
int path_create(const struct bench *b, struct bench_context *c, struct path **out, struct spx_error *err);
void path_free(struct path *p);

/* The two sides: forward that many packets. */
void path_ours(void *state, uint64_t ops);
void path_theirs(void *state, uint64_t ops);

/* ---- path_cache.c ---------------------------------------------------------------------------------- */

/* The cache of the row's mode, for p->flows; the worker has none in mode none. 0 or a negative errno. */
int path_cache_create(struct path *p, struct spx_error *err);

/* Forwards packets until the flows that can be resident are. 0, or an error when they are not. */
int path_cache_warm(struct path *p, struct spx_error *err);

/* Time goes on, as in spx_worker_run. */
void path_cache_turn(struct path *p);

/* Its counters add up, and the measured packets hit as often as they should. Appends the share to the note;
 * leaves the cache empty. */
int path_cache_check(struct path *p, struct spx_error *err);

/* Of the exact cache, and flows of a filter. */
uint64_t path_cache_entries(const struct path *p);

/* Bytes of cache for each flow that it is made for; 0 without one. */
double path_cache_bytes_per_flow(const struct path *p);

/* ---- path_route.c ---------------------------------------------------------------------------------- */

/* A flow inside one of the rules (arg: the rules), between addresses that are routed (packets_draw). */
void path_route_draw(void *arg, uint64_t *random, struct spx_key4 *key);

/* Makes routes to all flows and has every action of p->config say route. 0 or a negative errno. */
int path_route_create(struct path *p, struct spx_error *err);
void path_route_free(struct path *p);

/* The packets that both sides sent last went to the next hop that both sides' routes say. Takes them from the
 * ports. */
int path_route_check(struct path *p, struct spx_error *err);

#endif
