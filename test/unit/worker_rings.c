/* The rings of a worker: packets injected by the slow path, and packets handed over to the owner of a port.
 */
#include <criterion/criterion.h>

#include "app/sphex/slowpath.h"
#include "test/unit/worker_fixture.h"

static struct fixture f;
static struct spx_slowpath slow;

static void
start(void)
{
	fixture_init(&f, 1023);
	slow.exception = f.exception;
	slow.inject[0] = rte_ring_create("inject", 16, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	f.worker->inject = slow.inject[0];
}

TestSuite(rings, .init = start);

/* punted + generated = consumed + injected + slow-path drops + queued */
static void
slowpath_balanced(void)
{
	const struct spx_counters *s = &slow.counters, *w = &f.worker->counters;

	cr_assert_eq(w->punted + s->generated, s->consumed + w->injected + spx_counters_drops(s) +
						       rte_ring_count(slow.exception) +
						       rte_ring_count(slow.inject[0]));
}

/* The test as the injector: a packet the slow path made itself. */
static void
inject(struct rte_mbuf *m, enum spx_stage stage, struct spx_meta meta)
{
	*spx_meta(m) = meta;
	slow.counters.generated++;
	spx_slowpath_inject(&slow, 0, m, stage);
	slowpath_balanced();
}

Test(rings, slow_path_consumes_by_class)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_PUNT});
	for (uint8_t i = 0; i < 10; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	spx_worker_turn(f.worker);
	slowpath_balanced();
	cr_assert_eq(spx_slowpath_turn(&slow), 10);
	cr_assert_eq(slow.counters.consumed, 10);
	cr_assert_eq(slow.counters.exceptions[SPX_EXCEPTION_rule], 10);
	cr_assert_eq(rte_mempool_in_use_count(f.pool), 0);
	slowpath_balanced();
}

Test(rings, injected_at_parse_goes_the_whole_way)
{
	const struct spx_rule rule = fixture_dport_rule(1, 53, 1);

	fixture_action(&f, 1, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 2});
	fixture_rules(&f, &rule, 1);
	inject(fixture_udp(&f, 1, 53, 64), SPX_STAGE_parse, (struct spx_meta){.in_port = 1});
	inject(fixture_udp(&f, 1, 54, 64), SPX_STAGE_parse, (struct spx_meta){.in_port = 1});
	cr_assert_eq(spx_worker_turn(f.worker), 2);
	cr_assert_eq(f.fake[2].n_out, 1);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_no_rule], 1);
	cr_assert_eq(f.worker->counters.injected, 2);
	fixture_balanced(&f.worker->counters, 0);
	slowpath_balanced();
}

Test(rings, injected_at_rewrite_is_edited_and_sent)
{
	const struct spx_layout layout = {.ethertype = 0x0800, .l3 = 14, .l4 = 34};

	fixture_action(&f, 3,
		(struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1, .flags = SPX_ACTION_DEC_TTL});
	inject(fixture_udp(&f, 1, 53, 64), SPX_STAGE_rewrite,
		(struct spx_meta){.action = 3, .out_port = 1, .layout = layout});
	spx_worker_turn(f.worker);
	cr_assert_eq(f.fake[1].n_out, 1);
	cr_assert_eq(rte_pktmbuf_mtod(f.fake[1].out[0], uint8_t *)[22], 63);
	fixture_balanced(&f.worker->counters, 0);
}

Test(rings, injected_at_enqueue_is_sent_as_it_is)
{
	uint8_t arp[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2, 0x08, 0x06};

	inject(fixture_frame(&f, arp, sizeof(arp)), SPX_STAGE_enqueue, (struct spx_meta){.out_port = 3});
	spx_worker_turn(f.worker);
	cr_assert_eq(f.fake[3].n_out, 1);
	cr_assert_arr_eq(rte_pktmbuf_mtod(f.fake[3].out[0], uint8_t *), arp, sizeof(arp));
	fixture_balanced(&f.worker->counters, 0);
}

Test(rings, mixed_injections_keep_their_own_ways)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1});
	for (uint16_t i = 0; i < 12; i++)
		inject(fixture_udp(&f, (uint8_t)i, 53, 64), i % 3 == 0 ? SPX_STAGE_enqueue : SPX_STAGE_parse,
			(struct spx_meta){.in_port = i % 2, .out_port = 2});
	spx_worker_turn(f.worker);
	cr_assert_eq(f.fake[1].n_out, 8);
	cr_assert_eq(f.fake[2].n_out, 4);
	fixture_balanced(&f.worker->counters, 0);
	slowpath_balanced();
}

Test(rings, full_inject_ring_is_a_drop_reason_of_the_slow_path)
{
	for (uint8_t i = 0; i < 20; i++)
		inject(fixture_udp(&f, i, 53, 64), SPX_STAGE_parse, (struct spx_meta){0});
	cr_assert_eq(slow.counters.drops[SPX_DROP_inject_ring_full], 5);
	cr_assert_eq(rte_mempool_in_use_count(f.pool), 15);
}

Test(rings, hands_over_to_the_owner_of_the_port)
{
	struct spx_worker *other = fixture_worker(&f, 1);
	struct rte_ring *ring = rte_ring_create("handover", 16, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	struct spx_counters sum = {0};

	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1});
	f.worker->tx[1].handover = ring;
	other->handover[other->n_handover++] = (struct spx_worker_handover){.ring = ring, .port = 1};
	for (uint8_t i = 0; i < 20; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	spx_worker_turn(f.worker);
	cr_assert_eq(f.worker->counters.transmitted, 0);
	cr_assert_eq(f.worker->counters.handed_in, 15);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_handover_full], 5);
	fixture_balanced(&f.worker->counters, rte_ring_count(ring));

	cr_assert_eq(spx_worker_turn(other), 15);
	cr_assert_eq(f.fake[1].n_out, 15);
	cr_assert_eq(other->counters.handed_out, 15);
	spx_counters_add(&sum, &f.worker->counters);
	spx_counters_add(&sum, &other->counters);
	fixture_balanced(&sum, 0);
}
