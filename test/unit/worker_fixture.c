#include "test/unit/worker_fixture.h"

#include <string.h>

#include <criterion/criterion.h>
#include <rte_malloc.h>

#include "test/unit/eal.h"

static uint16_t
fake_rx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct fake_port *f = p->state;

	(void)queue;
	n = (uint16_t)RTE_MIN((unsigned)n, f->n_in);
	memcpy(pkts, f->in, n * sizeof(pkts[0]));
	f->n_in -= n;
	memmove(f->in, f->in + n, f->n_in * sizeof(f->in[0]));
	return n;
}

static uint16_t
fake_tx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct fake_port *f = p->state;

	(void)queue;
	n = (uint16_t)RTE_MIN((unsigned)n, f->takes);
	n = (uint16_t)RTE_MIN((unsigned)n, FAKE_ROOM - f->n_out);
	memcpy(f->out + f->n_out, pkts, n * sizeof(pkts[0]));
	f->n_out += n;
	f->takes -= n;
	return n;
}

static const struct spx_port_ops fake_ops = {.name = "fake", .rx_burst = fake_rx, .tx_burst = fake_tx};

void
fixture_cache(struct spx_worker *w, enum spx_flow_mode mode)
{
	const struct spx_flow_options options = {.mode = mode,
		.entries = 1024,
		.entries6 = 64,
		.ways = 16,
		.p = 0.001,
		.flows = 1024,
		.n_actions = 16,
		.socket = SOCKET_ID_ANY};
	struct spx_error err;

	spx_flow_free(w->cache);
	cr_assert_eq(spx_flow_create(&options, &w->cache, &err), 0, "%s", err.text);
}

struct spx_worker *
fixture_worker(struct fixture *f, uint16_t id)
{
	struct spx_worker *w = rte_zmalloc(NULL, sizeof(*w), RTE_CACHE_LINE_SIZE);

	cr_assert_not_null(w);
	w->id = id;
	w->burst = 32;
	w->pool = f->pool;
	w->exception = f->exception;
	w->config = &f->in_force;
	w->phase = &f->phase;
	w->action_counter = rte_calloc(NULL, 16, sizeof(*w->action_counter), 0);
	fixture_cache(w, SPX_FLOW_MODE_none);
	for (uint16_t p = 0; p < FAKE_PORTS; p++) {
		w->tx[p] = (struct spx_worker_tx){.port = &f->fake[p].port};
		w->inject_net[p] = (struct spx_net_options){.max_frame = 1518};
		spx_hash_seed_from(&w->inject_net[p].seed, 1);
	}
	return w;
}

void
fixture_init(struct fixture *f, unsigned mbufs)
{
	fixture_init_with(f, mbufs, "64");
}

void
fixture_init_with(struct fixture *f, unsigned mbufs, const char *megabytes)
{
	test_eal_start_with(megabytes);
	memset(f, 0, sizeof(*f));
	f->pool = rte_pktmbuf_pool_create("pool", mbufs, 0, sizeof(struct spx_meta), 2048, SOCKET_ID_ANY);
	f->exception = rte_ring_create("exception", 16, SOCKET_ID_ANY, RING_F_SC_DEQ);
	cr_assert(f->pool != NULL && f->exception != NULL);
	for (uint16_t p = 0; p < FAKE_PORTS; p++) {
		f->fake[p].port = (struct spx_port){
			.ops = &fake_ops, .state = &f->fake[p], .id = p, .rx_queues = 1, .tx_queues = 1};
		f->fake[p].takes = UINT32_MAX;
	}
	f->config = rte_zmalloc(NULL, sizeof(*f->config) + 16 * sizeof(f->config->action[0]), 0);
	f->config->rules_generation = f->config->routes_generation = 1;
	f->config->n_actions = 16;
	f->in_force = f->config;
	fixture_action(f, 0, (struct spx_action){.verdict = SPX_VERDICT_DROP, .flags = SPX_ACTION_NO_RULE});
	f->worker = fixture_worker(f, 0);
	for (uint16_t p = 0; p < FAKE_PORTS; p++)
		f->worker->rx[f->worker->n_rx++] =
			(struct spx_worker_rx){.port = &f->fake[p].port, .net = f->worker->inject_net[p]};
}

void
fixture_rules(struct fixture *f, const struct spx_rule *rule, size_t n)
{
	struct spx_error err;

	spx_rules_free(f->rules);
	cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_LINEAR, rule, n, &f->rules, &err), 0, "%s", err.text);
	f->config->rules = f->rules;
	f->config->has_rules = n > 0;
	f->config->rules_generation++;
}

/* A mirror of 0 in a literal means none here: port 0 is never mirrored to in these tests. */
void
fixture_action(struct fixture *f, uint32_t id, struct spx_action action)
{
	if (action.mirror == 0)
		action.mirror = SPX_NO_PORT;
	f->config->action[id] = action;
}

struct rte_mbuf *
fixture_frame(struct fixture *f, const void *bytes, uint16_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(f->pool);

	cr_assert_not_null(m);
	memcpy(rte_pktmbuf_append(m, length), bytes, length);
	return m;
}

struct rte_mbuf *
fixture_udp(struct fixture *f, uint8_t host, uint16_t dport, uint8_t ttl)
{
	uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0, ttl,
		17, 0, 0, 10, 0, 0, host, 10, 0, 1, 1, 0x10, 0x00, (uint8_t)(dport >> 8), (uint8_t)dport, 0,
		26};
	uint16_t sum = (uint16_t)~spx_net_sum4(frame + 14, 5);

	memcpy(frame + 24, &sum, sizeof(sum));
	return fixture_frame(f, frame, sizeof(frame));
}

void
fixture_give(struct fixture *f, unsigned port, struct rte_mbuf *m)
{
	struct fake_port *p = &f->fake[port];

	cr_assert_lt(p->n_in, FAKE_ROOM);
	p->in[p->n_in++] = m;
}

void
fixture_balanced(const struct spx_counters *c, uint64_t in_flight)
{
	cr_assert_eq(c->received + c->injected + c->cloned,
		c->transmitted + spx_counters_drops(c) + c->punted + in_flight,
		"received %lu injected %lu cloned %lu transmitted %lu drops %lu punted %lu", c->received,
		c->injected, c->cloned, c->transmitted, spx_counters_drops(c), c->punted);
}

struct spx_rule
fixture_dport_rule(uint32_t order, uint16_t dport, uint32_t action)
{
	struct spx_rule rule = {.order = order, .action = action};

	spx_match_any(&rule.match);
	rule.match.dport_low = rule.match.dport_high = dport;
	return rule;
}
