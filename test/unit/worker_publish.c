/* Running workers and the publisher of rules: every packet gets the answer of one set or the other, a worker
 * that sleeps holds nobody up, and no set is freed under a worker.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "test/unit/worker_fixture.h"

#define CHANGES 100
#define PACKETS 500 /* to see where they go after each change */

static struct fixture f;
static struct spx_worker *workers[2];
static uint8_t frame[60];

/* An endless port: the same packet again and again. */
static uint16_t
endless_rx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	(void)queue;
	n = RTE_MIN(n, (uint16_t)4);
	if (p->id != 0 || rte_pktmbuf_alloc_bulk(f.pool, pkts, n) != 0)
		return 0;
	for (uint16_t i = 0; i < n; i++)
		memcpy(rte_pktmbuf_append(pkts[i], sizeof(frame)), frame, sizeof(frame));
	return n;
}

static uint16_t
free_tx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	(void)p, (void)queue;
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

static const struct spx_port_ops endless_ops = {
	.name = "endless", .rx_burst = endless_rx, .tx_burst = free_tx};

/* What appliance.c does: a new object, the pointer, the grace period, the old object. */
static void
publish(void *arg, struct spx_rules *rules, bool answers_changed)
{
	struct spx_config *old = f.in_force, *new = malloc(sizeof(*new) + 16 * sizeof(new->action[0]));

	(void)arg;
	memcpy(new, f.config, sizeof(*new) + 16 * sizeof(new->action[0]));
	new->rules = rules;
	new->has_rules = true;
	new->rules_generation = old->rules_generation + answers_changed;
	atomic_store_explicit(&f.in_force, new, memory_order_release);
	rte_rcu_qsbr_synchronize(f.worker->qsbr, RTE_QSBR_THRID_INVALID);
	if (old != f.config)
		free(old);
}

static void *
run(void *arg)
{
	spx_worker_run(arg);
	return NULL;
}

static void
start(void)
{
	struct rte_mbuf *m;

	fixture_init(&f, 2047);
	m = fixture_udp(&f, 1, 53, 64);
	memcpy(frame, rte_pktmbuf_mtod(m, void *), sizeof(frame));
	rte_pktmbuf_free(m);
	fixture_action(&f, 1, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1});
	fixture_action(&f, 2, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 2});
	for (unsigned p = 0; p < FAKE_PORTS; p++)
		f.fake[p].port.ops = &endless_ops;
	f.worker->qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(2), RTE_CACHE_LINE_SIZE);
	rte_rcu_qsbr_init(f.worker->qsbr, 2);
	workers[0] = f.worker;
	workers[1] = fixture_worker(&f, 1);
	workers[1]->qsbr = f.worker->qsbr;
	workers[1]->sleeps = true; /* it has no queue to receive from */
}

TestSuite(publish, .init = start, .timeout = 60);

static uint64_t
sent(unsigned port)
{
	return __atomic_load_n(&f.worker->counters.port[port].tx_packets, __ATOMIC_RELAXED);
}

/* From now on every packet goes out by `port`, none by `other`. */
static void
expect_only(unsigned port, unsigned other)
{
	uint64_t old = sent(other), begun = sent(port);

	while (sent(port) - begun < PACKETS) {
		cr_assert_eq(sent(other), old, "the old answer after the change had returned");
		sched_yield();
	}
	cr_assert_eq(sent(other), old, "the old answer after the change had returned");
}

/* The first rule sends to port 1; the second, which comes and goes, before it to port 2. The one flow there
 * is would be answered by the cache. */
static void
change_under_running_workers(enum spx_flow_mode mode)
{
	const struct spx_rule first = fixture_dport_rule(10, 53, 1), second = fixture_dport_rule(5, 53, 2);
	struct spx_rule_table *table;
	struct spx_error err;
	pthread_t thread[2];

	fixture_cache(f.worker, mode);
	cr_assert_eq(
		spx_rule_table_create(SPX_CLASSIFIER_ACL, publish, NULL, &table, &err), 0, "%s", err.text);
	cr_assert_eq(spx_rule_table_set(table, &first, 1, &err), 0, "%s", err.text);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, run, workers[i]);
	while (sent(1) == 0)
		sched_yield(); /* the workers are there */
	for (int i = 0; i < CHANGES; i++) {
		cr_assert_eq(spx_rule_table_add(table, &second, &err), 0, "%s", err.text);
		expect_only(2, 1);
		cr_assert_eq(spx_rule_table_delete(table, second.order, &err), 0, "%s", err.text);
		expect_only(1, 2);
	}
	spx_rule_table_settle(table);
	expect_only(1, 2);

	atomic_store(&f.phase, SPX_PHASE_STOP);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_no_rule], 0, "never between two sets");
	fixture_balanced(&f.worker->counters, 0);
	spx_rule_table_destroy(table);
	free(f.in_force);
}

Test(publish, changes_without_a_cache)
{
	change_under_running_workers(SPX_FLOW_MODE_none);
}

Test(publish, changes_with_an_exact_cache)
{
	change_under_running_workers(SPX_FLOW_MODE_exact);
	cr_assert_gt(spx_flow_counters(f.worker->cache)->exact_hits, CHANGES);
	cr_assert_lt(spx_flow_counters(f.worker->cache)->exact_misses, 3 * CHANGES);
}

Test(publish, changes_with_layered_caches)
{
	change_under_running_workers(SPX_FLOW_MODE_layered);
	cr_assert_gt(spx_flow_counters(f.worker->cache)->exact_hits, CHANGES);
}

Test(publish, changes_with_an_approximate_cache)
{
	change_under_running_workers(SPX_FLOW_MODE_approximate);
	cr_assert_gt(spx_flow_counters(f.worker->cache)->approximate_hits, CHANGES);
}
