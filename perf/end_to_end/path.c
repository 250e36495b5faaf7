/* path.forward.*: nanoseconds per packet of the whole way, one worker, against the reference loop
 * (perf/reference): the same packets of N flows, each side on a self-looped port of its own, 1,000 rules of
 * which none drops. Ours keeps its counters and sampled stage clocks; each rule has an action that sets both
 * MAC addresses, decrements the TTL and counts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "app/sphex/worker.h"
#include "perf/bench.h"
#include "perf/reference/reference.h"
#include "test/common/rule_sets.h"

#define RULES     1000
#define RULE_SEED 5
#define FLOW_SEED 6
#define HASH_SEED 7
#define OCCUPANCY 0.85 /* of the reference's table */
#define RING      64   /* of exceptions, of which there must be none */

struct state {
	struct packets_flows flows;
	struct spx_rule_list list;
	/* By the number of flows: net_ring leaves its rings behind when it is closed, and their names taken.
	 */
	char our_device[RTE_DEV_NAME_MAX_LEN], their_device[RTE_DEV_NAME_MAX_LEN];

	/* ours */
	struct spx_port port;
	struct spx_port_ops ops; /* of the driver, its rx_burst refreshing the packets */
	struct rte_mempool *pool;
	struct spx_rules *rules;
	struct spx_config *config;
	struct spx_config *_Atomic in_force;
	_Atomic int phase;
	struct spx_worker *worker;
	uint32_t next;    /* flow of the next packet */
	uint64_t offered; /* packets asked of it */

	/* theirs */
	struct reference_port their_port;
	struct reference *reference;
	uint64_t their_offered;
};

/* ---- the two sides --------------------------------------------------------------------------------- */

/* What the driver receives, with the next flows written in, as the reference loop does it. */
static uint16_t
rx_refreshed(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct state *s = container_of(p, struct state, port);

	n = spx_ethdev_ops.rx_burst(p, queue, pkts, n);
	packets_refresh(&s->flows, &s->next, pkts, n);
	return n;
}

/* A turn without a packet means that packets were lost: check will find fewer than were offered. */
static void
ours(void *state, uint64_t ops)
{
	struct state *s = state;
	uint64_t done = 0;
	unsigned n;

	do {
		n = spx_worker_turn(s->worker);
		done += n;
	} while (n > 0 && done < ops);
	s->offered += ops;
}

static void
theirs(void *state, uint64_t ops)
{
	struct state *s = state;
	uint64_t done = 0;
	unsigned n;

	do {
		n = reference_turn(s->reference);
		done += n;
	} while (n > 0 && done < ops);
	s->their_offered += ops;
}

/* Both forwarded every packet that they were offered, and every counter says so. */
static int
check(void *state, struct spx_error *err)
{
	const struct state *s = state;
	const struct spx_counters *c = &s->worker->counters;
	uint64_t actions = 0;

	for (uint32_t i = 0; i < s->config->n_actions; i++)
		actions += s->worker->action_counter[i].packets;
	if (c->received != s->offered || c->transmitted != s->offered || actions != s->offered ||
		spx_counters_drops(c) + c->punted + c->cloned != 0)
		return spx_error(err, -EIO,
			"ours: offered %" PRIu64 ", received %" PRIu64 ", counted by action %" PRIu64
			", transmitted %" PRIu64 ", dropped %" PRIu64 ", punted %" PRIu64,
			s->offered, c->received, actions, c->transmitted, spx_counters_drops(c), c->punted);
	if (s->reference != NULL) {
		const struct reference_counters *r = reference_counters(s->reference);
		uint64_t counted = reference_counted(s->reference);

		if (r->received != s->their_offered || r->transmitted != s->their_offered ||
			r->dropped != 0 || counted != s->their_offered)
			return spx_error(err, -EIO,
				"reference: offered %" PRIu64 ", received %" PRIu64
				", counted by flow %" PRIu64 ", transmitted %" PRIu64 ", dropped %" PRIu64,
				s->their_offered, r->received, counted, r->transmitted, r->dropped);
	}
	return 0;
}

/* ---- set-up ---------------------------------------------------------------------------------------- */

/* A flow inside one of the rules. */
static void
draw_flow(void *arg, uint64_t *random, struct spx_key4 *key)
{
	const struct spx_rule_list *list = arg;

	rule_sets_key4(&list->rule[spx_random(random) % list->n], random, key);
}

static int
open_port(struct state *s, struct spx_error *err)
{
	struct spx_port_options options = {.name = "ours",
		.driver = "ethdev",
		.workers = 1,
		.max_frame = RTE_ETHER_MAX_LEN,
		.device = s->our_device};
	uint16_t id;
	int rc;

	s->pool = reference_pool("ours", sizeof(struct spx_meta));
	if (s->pool == NULL)
		return spx_error(err, -ENOMEM, "no memory for %u mbufs", PACKETS_MBUFS);
	options.pool = s->pool;
	rc = spx_port_open(&s->port, &options, err);
	if (rc < 0)
		return rc;
	s->ops = *s->port.ops;
	s->ops.rx_burst = rx_refreshed;
	s->port.ops = &s->ops;
	rc = rte_eth_dev_get_port_by_name(s->our_device, &id);
	return rc < 0 ? spx_error(err, rc, "no device %s", s->our_device)
		      : reference_port_load(id, s->pool, &s->flows, err);
}

/* Action i belongs to rule i; action 0 is the default. */
static int
make_config(struct state *s, struct spx_error *err)
{
	static const struct spx_action forward = {.verdict = SPX_VERDICT_FORWARD,
		.flags = SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC | SPX_ACTION_DEC_TTL |
			 SPX_ACTION_COUNT,
		.mirror = SPX_NO_PORT,
		.dst_mac = {2, 2, 2, 2, 2, 2},
		.src_mac = {6, 6, 6, 6, 6, 6}};

	s->config = calloc(1, sizeof(*s->config) + (RULES + 1) * sizeof(s->config->action[0]));
	if (s->config == NULL)
		return spx_error(err, -ENOMEM, "no memory for the configuration");
	s->config->has_rules = true;
	s->config->n_actions = RULES + 1;
	for (uint32_t i = 0; i <= RULES; i++)
		s->config->action[i] = forward;
	s->in_force = s->config;
	return spx_rules_build(SPX_CLASSIFIER_ACL, s->list.rule, s->list.n, &s->rules, err);
}

static int
make_worker(struct state *s, struct spx_error *err)
{
	struct spx_worker *w = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*w));

	if (w == NULL)
		return spx_error(err, -ENOMEM, "no memory for a worker");
	memset(w, 0, sizeof(*w));
	s->worker = w;
	s->config->rules = s->rules;
	w->burst = REFERENCE_BURST;
	w->n_rx = 1;
	w->rx[0].port = &s->port;
	w->rx[0].net.max_frame = RTE_ETHER_MAX_LEN;
	spx_hash_seed_from(&w->rx[0].net.seed, HASH_SEED);
	w->tx[0].port = &s->port;
	w->exception = rte_ring_create("exceptions", RING, SOCKET_ID_ANY, 0);
	w->pool = s->pool;
	w->config = &s->in_force;
	w->phase = &s->phase;
	w->action_counter = calloc(SPX_ACTIONS_MAX, sizeof(*w->action_counter));
	return w->exception == NULL || w->action_counter == NULL
		       ? spx_error(err, -ENOMEM, "no memory for a worker's counters and ring")
		       : 0;
}

static int
make_reference(struct state *s, struct bench_context *c, struct spx_error *err)
{
	struct reference_options options = {
		.flows = &s->flows, .capacity = (uint64_t)(s->flows.n / OCCUPANCY) + 1};
	int rc = reference_port_open(s->their_device, &s->their_port, err);

	if (rc == 0)
		rc = reference_port_load(s->their_port.id, s->their_port.pool, &s->flows, err);
	options.port = s->their_port.id;
	if (rc == 0)
		rc = reference_create(&options, &s->reference, err);
	if (rc == 0)
		snprintf(c->note, sizeof(c->note), "cache none, %d rules (acl); reference %.0f B/flow", RULES,
			reference_bytes_per_flow(s->reference));
	return rc;
}

static void
teardown(void *state)
{
	struct state *s = state;
	uint16_t id;

	if (s->worker != NULL) {
		rte_ring_free(s->worker->exception);
		free(s->worker->action_counter);
		free(s->worker);
	}
	spx_rules_free(s->rules);
	free(s->config);
	if (rte_eth_dev_get_port_by_name(s->our_device, &id) == 0)
		reference_port_drain(id);
	spx_port_close(&s->port, NULL);
	rte_mempool_free(s->pool);
	reference_free(s->reference);
	reference_port_close(&s->their_port);
	packets_flows_free(&s->flows);
	spx_rule_list_free(&s->list);
	free(s);
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc;

	(void)part;
	if (s == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	c->state = s;
	snprintf(s->our_device, sizeof(s->our_device), "net_ring_o%" PRIu64, b->size);
	snprintf(s->their_device, sizeof(s->their_device), "net_ring_t%" PRIu64, b->size);
	if (rule_sets_generate(SPX_FAMILY_IPV4, RULES, RULE_SEED, &s->list) != 0 ||
		packets_flows_create((uint32_t)b->size, FLOW_SEED, draw_flow, &s->list, &s->flows) != 0)
		rc = spx_error(err, -ENOMEM, "no memory for %" PRIu64 " flows", b->size);
	else
		rc = open_port(s, err);
	if (rc == 0)
		rc = make_config(s, err);
	if (rc == 0)
		rc = make_worker(s, err);
	if (rc == 0 && !c->counting)
		rc = make_reference(s, c, err);
	if (rc < 0)
		teardown(s);
	return rc;
}

#define BENCH_PATH(name, flows)                                                                              \
	{                                                                                                    \
		.id = name, .unit = "ns per packet", .scale = BENCH_NS, .peer = "reference loop",            \
		.size = (flows), .setup = setup, .ours = ours, .theirs = theirs, .check = check,             \
		.teardown = teardown                                                                         \
	}

static const struct bench benches[] = {
	BENCH_PATH("path.forward.1", 1),
	BENCH_PATH("path.forward.1k", 1 << 10),
	BENCH_PATH("path.forward.64k", 1 << 16),
	BENCH_PATH("path.forward.1m", 1 << 20),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 512});
}
