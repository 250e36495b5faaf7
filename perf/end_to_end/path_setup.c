/* What is on either side of the benchmarks of the whole way; path.h says what that is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "perf/end_to_end/path.h"
#include "test/common/rule_sets.h"

#define RULE_SEED   5
#define FLOW_SEED   6
#define HASH_SEED   7
#define RING        64 /* of exceptions, of which there must be none */
#define FEW_ACTIONS 8  /* of mode approximate, which has a filter for each; else each rule has its own */

/* ---- ours ------------------------------------------------------------------------------------------ */

/* What the driver receives, with the next flows written in, as the reference loop does it. */
static uint16_t
rx_refreshed(struct spx_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct path *p = (struct path *)port;

	n = spx_ethdev_ops.rx_burst(port, queue, pkts, n);
	packets_refresh(&p->round, &p->next, pkts, n);
	if (p->routed)
		packets_to_router(pkts, n);
	return n;
}

/* A flow inside one of the rules. */
static void
draw_flow(void *arg, uint64_t *random, struct spx_key4 *key)
{
	const struct spx_rule_list *list = arg;

	rule_sets_key4(&list->rule[spx_random(random) % list->n], random, key);
}

static int
open_port(struct path *p, struct spx_error *err)
{
	struct spx_port_options options = {.name = "ours",
		.driver = "ethdev",
		.workers = 1,
		.max_frame = RTE_ETHER_MAX_LEN,
		.device = p->our_device};
	uint16_t id;
	int rc;

	p->pool = reference_pool("ours", sizeof(struct spx_meta));
	if (p->pool == NULL)
		return spx_error(err, -ENOMEM, "no memory for %u mbufs", PACKETS_MBUFS);
	options.pool = p->pool;
	rc = spx_port_open(&p->port, &options, err);
	if (rc < 0)
		return rc;
	p->ops = *p->port.ops;
	p->ops.rx_burst = rx_refreshed;
	p->port.ops = &p->ops;
	rc = rte_eth_dev_get_port_by_name(p->our_device, &id);
	return rc < 0 ? spx_error(err, rc, "no device %s", p->our_device)
		      : reference_port_load(id, p->pool, &p->flows, err);
}

/* Action 0 is the default; each rule has an action of its own, or one of a few. */
static int
make_config(struct path *p, struct spx_error *err)
{
	static const struct spx_action forward = {.verdict = SPX_VERDICT_FORWARD,
		.flags = SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC | SPX_ACTION_DEC_TTL |
			 SPX_ACTION_COUNT,
		.mirror = SPX_NO_PORT,
		.dst_mac = {2, 2, 2, 2, 2, 2},
		.src_mac = {6, 6, 6, 6, 6, 6}};
	uint32_t n = p->mode == SPX_FLOW_MODE_approximate ? FEW_ACTIONS : PATH_RULES + 1;

	p->config = calloc(1, sizeof(*p->config) + n * sizeof(p->config->action[0]));
	if (p->config == NULL)
		return spx_error(err, -ENOMEM, "no memory for the configuration");
	p->config->has_rules = true;
	p->config->rules_generation = p->config->routes_generation = 1;
	p->config->n_actions = n;
	for (uint32_t i = 0; i < n; i++)
		p->config->action[i] = forward;
	for (size_t i = 0; i < p->list.n; i++)
		p->list.rule[i].action %= n;
	p->in_force = p->config;
	return spx_rules_build(SPX_CLASSIFIER_ACL, p->list.rule, p->list.n, &p->rules, err);
}

static int
make_worker(struct path *p, struct spx_error *err)
{
	struct spx_worker *w = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*w));

	if (w == NULL)
		return spx_error(err, -ENOMEM, "no memory for a worker");
	memset(w, 0, sizeof(*w));
	p->worker = w;
	p->config->rules = p->rules;
	w->burst = REFERENCE_BURST;
	w->n_rx = 1;
	w->rx[0].port = &p->port;
	w->rx[0].net.max_frame = RTE_ETHER_MAX_LEN;
	spx_hash_seed_from(&w->rx[0].net.seed, HASH_SEED);
	w->tx[0].port = &p->port;
	w->exception = rte_ring_create("exceptions", RING, SOCKET_ID_ANY, 0);
	w->pool = p->pool;
	w->config = &p->in_force;
	w->phase = &p->phase;
	w->action_counter = calloc(SPX_ACTIONS_MAX, sizeof(*w->action_counter));
	return w->exception == NULL || w->action_counter == NULL
		       ? spx_error(err, -ENOMEM, "no memory for a worker's counters and ring")
		       : 0;
}

/* ---- theirs ---------------------------------------------------------------------------------------- */

static int
make_reference(struct path *p, struct spx_error *err)
{
	uint32_t resident = p->attack ? PATH_ATTACKED : p->flows.n;
	struct reference_options options = {.flows = &p->flows,
		.capacity = (uint64_t)(resident / PATH_OCCUPANCY) + 1,
		.rules = p->attack ? &p->list : NULL,
		.resident = resident,
		.routes = p->routes,
		.n_routes = PATH_ROUTES};
	int rc = reference_port_open(p->their_device, &p->their_port, err);

	if (rc == 0)
		rc = reference_port_load(p->their_port.id, p->their_port.pool, &p->flows, err);
	options.port = p->their_port.id;
	return rc == 0 ? reference_create(&options, &p->reference, err) : rc;
}

/* ---- both ------------------------------------------------------------------------------------------ */

/* A turn without a packet means that packets were lost: check will find fewer than were offered. */
void
path_ours(void *state, uint64_t ops)
{
	struct path *p = state;
	uint64_t done = 0;
	unsigned n;

	do {
		n = spx_worker_turn(p->worker);
		path_cache_turn(p);
		done += n;
	} while (n > 0 && done < ops);
	p->offered += ops;
}

void
path_theirs(void *state, uint64_t ops)
{
	struct path *p = state;
	uint64_t done = 0;
	unsigned n;

	do {
		n = reference_turn(p->reference);
		done += n;
	} while (n > 0 && done < ops);
	p->their_offered += ops;
}

static void
write_note(struct path *p)
{
	char *note = p->context->note;
	size_t size = sizeof(p->context->note);
	int n = snprintf(note, size, "%s, %d rules (acl)", spx_flow_mode_name(p->mode), PATH_RULES);

	if (p->mode == SPX_FLOW_MODE_approximate)
		n += snprintf(note + n, size - (size_t)n, ", %u actions", p->config->n_actions);
	if (p->routed)
		n += snprintf(note + n, size - (size_t)n, ", %d routes", PATH_ROUTES);
	if (p->mode != SPX_FLOW_MODE_none)
		n += snprintf(note + n, size - (size_t)n, ", %" PRIu64 " entries, %.0f B/flow",
			path_cache_entries(p), path_cache_bytes_per_flow(p));
	if (p->reference != NULL)
		snprintf(note + n, size - (size_t)n, "; reference %.0f B/flow%s%s",
			reference_bytes_per_flow(p->reference), p->attack ? ", " : "",
			p->attack ? reference_acl_variant(p->reference) : "");
}

static int
create(struct path *p, const struct bench *b, struct spx_error *err)
{
	int rc;

	/* net_ring takes 17 letters. */
	snprintf(p->our_device, sizeof(p->our_device), "net_ring_o%u.%u", rte_log2_u64(b->size), b->variant);
	snprintf(p->their_device, sizeof(p->their_device), "net_ring_t%u.%u", rte_log2_u64(b->size),
		b->variant);
	if (rule_sets_generate(SPX_FAMILY_IPV4, PATH_RULES, RULE_SEED, &p->list) != 0 ||
		packets_flows_create((uint32_t)b->size, FLOW_SEED, p->routed ? path_route_draw : draw_flow,
			&p->list, &p->flows) != 0)
		return spx_error(err, -ENOMEM, "no memory for %" PRIu64 " flows", b->size);
	p->round = p->flows;
	rc = open_port(p, err);
	if (rc == 0)
		rc = make_config(p, err);
	if (rc == 0 && p->routed)
		rc = path_route_create(p, err);
	if (rc == 0)
		rc = make_worker(p, err);
	if (rc == 0)
		rc = path_cache_create(p, err);
	if (rc == 0 && !p->context->counting)
		rc = make_reference(p, err);
	return rc;
}

int
path_create(const struct bench *b, struct bench_context *c, struct path **out, struct spx_error *err)
{
	struct path *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	p->context = c;
	p->mode = (enum spx_flow_mode)(b->variant & ~(PATH_ATTACK | PATH_ROUTED));
	p->attack = (b->variant & PATH_ATTACK) != 0;
	p->routed = (b->variant & PATH_ROUTED) != 0;
	rc = create(p, b, err);
	if (rc < 0) {
		path_free(p);
		return rc;
	}
	write_note(p);
	*out = p;
	return 0;
}

void
path_free(struct path *p)
{
	uint16_t id;

	if (p->worker != NULL) {
		spx_flow_free(p->worker->cache);
		rte_ring_free(p->worker->exception);
		free(p->worker->action_counter);
		free(p->worker);
	}
	path_route_free(p);
	spx_rules_free(p->rules);
	free(p->config);
	if (rte_eth_dev_get_port_by_name(p->our_device, &id) == 0)
		reference_port_drain(id);
	spx_port_close(&p->port, NULL);
	rte_mempool_free(p->pool);
	reference_free(p->reference);
	reference_port_close(&p->their_port);
	packets_flows_free(&p->flows);
	spx_rule_list_free(&p->list);
	free(p);
}
