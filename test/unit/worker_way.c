/* The packet's way through one worker: verdicts, edits, mirror copies, full rings and ports, and that every
 * packet is counted once.
 */
#include <criterion/criterion.h>

#include "test/unit/worker_fixture.h"

static struct fixture f;

static void
start(void)
{
	fixture_init(&f, 1023);
}

static unsigned
turn(void)
{
	unsigned n = spx_worker_turn(f.worker);

	fixture_balanced(&f.worker->counters, 0);
	return n;
}

TestSuite(worker, .init = start);

Test(worker, forwards_everything_by_default_action_in_order)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1});
	for (uint8_t i = 0; i < 100; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	cr_assert_eq(turn(), 32);
	while (turn() > 0)
		;
	cr_assert_eq(f.fake[1].n_out, 100);
	for (uint8_t i = 0; i < 100; i++)
		cr_assert_eq(rte_pktmbuf_mtod(f.fake[1].out[i], uint8_t *)[29], i);
	cr_assert_eq(f.worker->counters.transmitted, 100);
	cr_assert_eq(f.worker->counters.port[0].rx_bytes, 6000);
	cr_assert_eq(f.worker->counters.port[1].tx_bytes, 6000);
	cr_assert_eq(f.worker->counters.stage[SPX_STAGE_lookup].packets, 100);
}

Test(worker, verdicts_have_their_reasons)
{
	const struct spx_rule rules[] = {
		fixture_dport_rule(1, 80, 1), fixture_dport_rule(2, 81, 2), fixture_dport_rule(3, 82, 3)};
	uint8_t runt[20] = {0};

	fixture_action(&f, 1,
		(struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 2, .flags = SPX_ACTION_COUNT});
	fixture_action(&f, 2, (struct spx_action){.verdict = SPX_VERDICT_DROP});
	fixture_action(&f, 3, (struct spx_action){.verdict = SPX_VERDICT_PUNT});
	fixture_rules(&f, rules, 3);
	for (uint16_t dport = 80; dport < 84; dport++)
		fixture_give(&f, 0, fixture_udp(&f, 1, dport, 64));
	runt[12] = 0x08;
	fixture_give(&f, 0, fixture_frame(&f, runt, sizeof(runt)));
	turn();
	cr_assert_eq(f.fake[2].n_out, 1);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_rule_drop], 1);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_no_rule], 1);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_ipv4_truncated], 1);
	cr_assert_eq(f.worker->counters.exceptions[SPX_EXCEPTION_rule], 1);
	cr_assert_eq(f.worker->action_counter[1].packets, 1);
	cr_assert_eq(f.worker->action_counter[1].bytes, 60);
	cr_assert_eq(rte_ring_count(f.exception), 1);
}

Test(worker, rewrites_macs_and_ttl_and_punts_the_last_hop)
{
	struct spx_action action = {.verdict = SPX_VERDICT_FORWARD,
		.port = 1,
		.flags = SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC | SPX_ACTION_DEC_TTL,
		.dst_mac = {2, 9, 9, 9, 9, 1},
		.src_mac = {2, 9, 9, 9, 9, 2}};
	const struct spx_meta *meta;
	uint8_t *frame;
	void *punted;

	fixture_action(&f, 0, action);
	fixture_give(&f, 3, fixture_udp(&f, 1, 80, 64));
	fixture_give(&f, 3, fixture_udp(&f, 2, 80, 1));
	turn();
	cr_assert_eq(f.fake[1].n_out, 1);
	frame = rte_pktmbuf_mtod(f.fake[1].out[0], uint8_t *);
	cr_assert_arr_eq(frame, action.dst_mac, 6);
	cr_assert_arr_eq(frame + 6, action.src_mac, 6);
	cr_assert_eq(frame[22], 63);
	cr_assert_eq(spx_net_sum4(frame + 14, 5), 0xffff);

	cr_assert_eq(rte_ring_dequeue(f.exception, &punted), 0);
	meta = spx_meta(punted);
	cr_assert_eq(meta->exception, SPX_EXCEPTION_ttl);
	cr_assert_eq(meta->in_port, 3);
	cr_assert_eq(meta->layout.l3, 14);
	cr_assert_eq(rte_pktmbuf_mtod((struct rte_mbuf *)punted, uint8_t *)[22], 1,
		"a punted packet is as received");
}

Test(worker, mirrors_the_packet_as_received)
{
	fixture_action(&f, 0,
		(struct spx_action){
			.verdict = SPX_VERDICT_FORWARD, .port = 1, .mirror = 2, .flags = SPX_ACTION_DEC_TTL});
	for (uint8_t i = 0; i < 64; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	f.worker->burst = 64;
	turn();
	cr_assert_eq(f.worker->counters.cloned, 64);
	cr_assert_eq(f.fake[1].n_out, 64);
	cr_assert_eq(f.fake[2].n_out, 64);
	cr_assert_eq(rte_pktmbuf_mtod(f.fake[1].out[5], uint8_t *)[22], 63);
	cr_assert_eq(rte_pktmbuf_mtod(f.fake[2].out[5], uint8_t *)[22], 64);
}

Test(worker, mirrors_dropped_packets_too)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_DROP, .mirror = 2});
	fixture_give(&f, 0, fixture_udp(&f, 1, 80, 64));
	turn();
	cr_assert_eq(f.fake[2].n_out, 1);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_rule_drop], 1);
}

Test(worker, goes_on_without_a_copy_when_the_pool_is_empty)
{
	struct rte_mbuf *m;

	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1, .mirror = 2});
	fixture_give(&f, 0, fixture_udp(&f, 1, 80, 64));
	while ((m = rte_pktmbuf_alloc(f.pool)) != NULL)
		;
	turn();
	cr_assert_eq(f.fake[1].n_out, 1);
	cr_assert_eq(f.fake[2].n_out, 0);
	cr_assert_eq(f.worker->counters.uncloned, 1);
}

Test(worker, counts_what_a_full_port_refuses)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1});
	f.fake[1].takes = 5;
	for (uint8_t i = 0; i < 20; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	turn();
	cr_assert_eq(f.worker->counters.transmitted, 5);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_tx_full], 15);
	cr_assert_eq(rte_mempool_in_use_count(f.pool), 5, "what was refused is freed");
}

Test(worker, counts_what_a_full_exception_ring_refuses)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_PUNT});
	for (uint8_t i = 0; i < 20; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	turn();
	cr_assert_eq(f.worker->counters.punted, 15); /* a ring of 16 holds 15 */
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_punt_ring_full], 5);
	cr_assert_eq(rte_mempool_in_use_count(f.pool), 15);
}

Test(worker, classifies_what_is_not_ip_by_ethertype_and_port)
{
	struct spx_rule rule = {.order = 1, .action = 1};
	uint8_t lldp[60] = {1, 0x80, 0xc2, 0, 0, 0xe, 2, 0, 0, 0, 0, 2, 0x88, 0xcc};

	spx_match_any(&rule.match);
	rule.match.fields = SPX_MATCH_ETHERTYPE | SPX_MATCH_PORT;
	rule.match.ethertype = 0x88cc;
	rule.match.port = 1;
	fixture_action(&f, 1, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 2});
	fixture_rules(&f, &rule, 1);
	fixture_give(&f, 0, fixture_frame(&f, lldp, sizeof(lldp)));
	fixture_give(&f, 1, fixture_frame(&f, lldp, sizeof(lldp)));
	turn();
	cr_assert_eq(f.fake[2].n_out, 1);
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_no_rule], 1);
}

Test(worker, samples_one_burst_in_sixteen)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1});
	f.worker->n_rx = 1;
	f.worker->burst = 1;
	for (uint8_t i = 0; i < 160; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	while (turn() > 0)
		;
	cr_assert_eq(f.worker->counters.stage[SPX_STAGE_parse].packets, 160);
	cr_assert_eq(f.worker->counters.stage[SPX_STAGE_parse].sampled_packets, 10);
	cr_assert_gt(f.worker->counters.stage[SPX_STAGE_parse].sampled_cycles, 0);
}

Test(worker, samples_every_queue_alike)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1});
	f.worker->n_rx = 2;
	f.worker->burst = 1;
	for (uint8_t i = 0; i < 160; i++)
		fixture_give(&f, 1, fixture_udp(&f, i, 80, 64)); /* the first queue stays empty */
	for (int i = 0; i < 160; i++)
		turn();
	cr_assert_eq(f.worker->counters.stage[SPX_STAGE_parse].sampled_packets, 10);
}
