/* The packet tracer over a hand-wired worker: what each stage saw and decided, as lines; groups; who is
 * chosen; what crosses to other threads.
 */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "app/sphex/slowpath.h"
#include "app/sphex/tracer.h"
#include "test/unit/worker_fixture.h"

static struct fixture f;
static struct spx_slowpath slow;
static struct spx_tracer *tracer;
static struct spx_watch watch;
static const struct spx_watch *_Atomic published;
static struct spx_trace_log *trace_log;

static const char *
port_name(const void *arg, uint16_t port)
{
	static const char *const names[] = {"p0", "p1", "p2", "p3"};

	(void)arg;
	return port < FAKE_PORTS ? names[port] : "none";
}

static const char *
action_name(const void *arg, uint32_t action)
{
	static const char *const names[] = {"default", "a1", "a2", "a3"};

	(void)arg;
	return action < RTE_DIM(names) ? names[action] : "?";
}

static const struct spx_trace_names names = {port_name, action_name, NULL};

/* Nobody looks any more. */
static void
forget(void)
{
	published = NULL;
	spx_trace_log_free(trace_log);
	spx_tracer_free(tracer);
	trace_log = NULL;
	tracer = NULL;
}

/* Looks at the next `count` packets. */
static void
look(uint32_t count, const char *filter)
{
	struct spx_error err = {""};

	forget();
	cr_assert_eq(spx_tracer_create(count, filter, 2, &tracer, &err), 0, "%s", err.text);
	trace_log = spx_trace_log_create(tracer);
	cr_assert_not_null(trace_log);
	watch.tracer = tracer;
	watch.wants = SPX_WATCH_TRACE;
	published = &watch;
}

static void
start(void)
{
	fixture_init(&f, 1023);
	slow.exception = f.exception;
	slow.inject[0] = rte_ring_create("inject", 16, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	slow.watcher.published = f.worker->watcher.published = &published;
	slow.watcher.thread = SPX_WATCH_SLOWPATH;
	f.worker->inject = slow.inject[0];
}

TestSuite(trace, .init = start, .fini = forget);

/* The groups, after everything was collected. */
static json_t *
groups(void)
{
	json_t *g;

	cr_assert_eq(spx_trace_log_collect(trace_log, tracer), 0);
	g = spx_trace_log_groups(trace_log, &names);
	cr_assert_not_null(g);
	cr_assert_eq(spx_tracer_lost(tracer), 0);
	return g;
}

/* All lines of a group's `what` (way or example), each ended by '\n'. */
static char *
text_of(const json_t *group, const char *what)
{
	static char text[4096];
	const json_t *line;
	size_t i;

	text[0] = '\0';
	json_array_foreach (json_object_get(group, what), i, line) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s\n", json_string_value(line));
	}
	return text;
}

/* The one group there is. */
static void
one_way(const char *what, const char *expected)
{
	json_t *g = groups();

	cr_assert_eq(json_array_size(g), 1, "%zu groups", json_array_size(g));
	cr_assert_str_eq(text_of(json_array_get(g, 0), what), expected, "got:\n%sexpected:\n%s",
		text_of(json_array_get(g, 0), what), expected);
	json_decref(g);
}

static void
forward_with(uint8_t flags)
{
	fixture_action(&f, 1,
		(struct spx_action){.verdict = SPX_VERDICT_FORWARD,
			.port = 2,
			.flags = flags,
			.dst_mac = {2, 9, 9, 9, 9, 1},
			.src_mac = {2, 9, 9, 9, 9, 2}});
	fixture_rules(&f, &(const struct spx_rule){0}, 0);
	fixture_rules(&f, (const struct spx_rule[]){fixture_dport_rule(7, 53, 1)}, 1);
}

Test(trace, every_stage_of_a_packet_that_is_forwarded)
{
	forward_with(SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC | SPX_ACTION_DEC_TTL);
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	cr_assert_eq(spx_tracer_chosen(tracer), 1);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    rule 7, action a1: forward to p2\n"
		       "rewrite   destination MAC, source MAC, TTL\n"
		       "enqueue   port p2\n"
		       "transmit  port p2, sent\n");
	cr_assert_eq(spx_trace_log_ended(trace_log), 1);
}

Test(trace, what_the_packet_had)
{
	json_t *g;
	char *text;

	forward_with(SPX_ACTION_DEC_TTL);
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	g = groups();
	text = text_of(json_array_get(g, 0), "example");
	cr_assert(strstr(text, "receive   port p0, 60 bytes, queue 0\n") != NULL, "%s", text);
	cr_assert(strstr(text, "10.0.0.9:4096 > 10.0.1.1:53, TTL 64, hash ") != NULL, "%s", text);
	cr_assert(strstr(text, "rewrite   TTL 64 -> 63\n") != NULL, "%s", text);
	cr_assert(strstr(text, "transmit  port p2, sent, queue 0\n") != NULL, "%s", text);
	json_decref(g);
}

Test(trace, cache_answers)
{
	json_t *g;

	forward_with(0);
	fixture_cache(f.worker, SPX_FLOW_MODE_exact);
	look(3, NULL);
	for (int i = 0; i < 3; i++) {
		fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
		spx_worker_turn(f.worker);
	}
	g = groups();
	cr_assert_eq(json_array_size(g), 2);
	cr_assert(strstr(text_of(json_array_get(g, 0), "way"), "flow cache (exact) hit, rule 7, action a1"));
	cr_assert(strstr(text_of(json_array_get(g, 1), "way"), "flow cache (exact) miss, rule 7, action a1"));
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(g, 0), "packets")), 2);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(g, 1), "packets")), 1);
	json_decref(g);
}

Test(trace, drops_say_where_and_why)
{
	uint8_t runt[20] = {[12] = 0x08};

	look(1, NULL);
	fixture_give(&f, 0, fixture_frame(&f, runt, sizeof(runt)));
	spx_worker_turn(f.worker);
	one_way("way", "receive   port p0\n"
		       "parse     malformed\n"
		       "drop      ipv4_truncated: the frame ends inside the IPv4 header\n");
}

Test(trace, no_rule_and_a_full_port)
{
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 80, 64));
	spx_worker_turn(f.worker);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    no rule matches, action default: drop\n"
		       "drop      no_rule: no rule matched and the default is to drop (asked for)\n");
	forward_with(0);
	look(1, NULL);
	f.fake[2].takes = 0;
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    rule 7, action a1: forward to p2\n"
		       "rewrite   nothing to change\n"
		       "enqueue   port p2\n"
		       "drop      tx_full: the output port took no more packets\n");
}

Test(trace, goes_on_in_the_slow_path_and_back)
{
	void *m = NULL;

	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_PUNT});
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 80, 64));
	spx_worker_turn(f.worker);
	/* As a slow path would that gives it back, to go out by port 3. */
	cr_assert_eq(rte_ring_dequeue(f.exception, &m), 0);
	spx_meta(m)->out_port = 3;
	spx_slowpath_inject(&slow, 0, m, SPX_STAGE_enqueue);
	spx_worker_turn(f.worker);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    no rule matches, action default: punt\n"
		       "punt      rule: a rule said punt\n"
		       "inject    from the slow path, goes on at enqueue\n"
		       "enqueue   port p3\n"
		       "transmit  port p3, sent\n");
}

Test(trace, ends_in_the_slow_path)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_PUNT});
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 80, 64));
	spx_worker_turn(f.worker);
	cr_assert_eq(spx_slowpath_turn(&slow), 1);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    no rule matches, action default: punt\n"
		       "punt      rule: a rule said punt\n"
		       "slowpath  rule: ended here\n");
	cr_assert_eq(spx_trace_log_ended(trace_log), 1);
}

Test(trace, follows_a_packet_to_the_worker_that_owns_the_port)
{
	struct spx_worker *owner = fixture_worker(&f, 1);
	struct rte_ring *ring = rte_ring_create("handover", 16, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);

	owner->watcher = (struct spx_watcher){.published = &published, .thread = 1};
	owner->handover[owner->n_handover++] = (struct spx_worker_handover){.ring = ring, .port = 2};
	f.worker->tx[2].handover = ring;
	forward_with(0);
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	cr_assert_eq(spx_trace_log_collect(trace_log, tracer), 0);
	cr_assert_eq(spx_trace_log_ended(trace_log), 0);
	spx_worker_turn(owner);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    rule 7, action a1: forward to p2\n"
		       "rewrite   nothing to change\n"
		       "enqueue   port p2\n"
		       "transmit  port p2, to the ring of the worker that owns it\n"
		       "transmit  port p2, sent\n");
}

/* Nothing in the way says that it went where it did not. */
Test(trace, a_full_ring_to_the_worker_that_owns_the_port)
{
	struct rte_ring *ring = rte_ring_create("handover", 2, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);

	f.worker->tx[2].handover = ring;
	cr_assert_eq(rte_ring_enqueue(ring, fixture_udp(&f, 8, 53, 64)), 0);
	forward_with(0);
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	one_way("way",
		"receive   port p0\n"
		"parse     IPv4 UDP\n"
		"lookup    rule 7, action a1: forward to p2\n"
		"rewrite   nothing to change\n"
		"enqueue   port p2\n"
		"transmit  port p2, to the ring of the worker that owns it\n"
		"drop      handover_full: the ring to the worker that owns the output port was full\n");
	cr_assert_eq(spx_trace_log_ended(trace_log), 1);
}

Test(trace, a_mirror_copy_is_not_the_packet)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_DROP, .mirror = 3});
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 80, 64));
	spx_worker_turn(f.worker);
	cr_assert_eq(f.fake[3].n_out, 1);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    no rule matches, action default: drop, mirrored to p3\n"
		       "drop      rule_drop: a rule said drop (asked for)\n");
}

Test(trace, only_so_many_and_only_those_that_match)
{
	json_t *g;

	look(5, "udp port 53");
	for (uint8_t i = 0; i < 100; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, i % 4 == 0 ? 53 : 80, 64));
	while (spx_worker_turn(f.worker) > 0)
		;
	cr_assert_eq(spx_tracer_chosen(tracer), 5);
	g = groups();
	cr_assert_eq(json_array_size(g), 1);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(g, 0), "packets")), 5);
	cr_assert(strstr(text_of(json_array_get(g, 0), "example"), "10.0.0.0:4096 > 10.0.1.1:53") != NULL);
	json_decref(g);
	fixture_balanced(&f.worker->counters, 0);
}

Test(trace, a_whole_burst)
{
	f.worker->burst = SPX_BURST_MAX;
	look(SPX_BURST_MAX, NULL);
	for (uint8_t i = 0; i < SPX_BURST_MAX; i++)
		fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
	spx_worker_turn(f.worker);
	cr_assert_eq(spx_tracer_chosen(tracer), SPX_BURST_MAX);
}

/* Ways are whole or not begun: where the ring has no room for a way, the packet is not chosen. */
Test(trace, a_full_ring_begins_no_way)
{
	json_t *g;
	json_int_t packets;

	look(SPX_TRACE_MAX, NULL);
	for (unsigned round = 0; round < 300; round++) {
		for (uint8_t i = 0; i < 32; i++)
			fixture_give(&f, 0, fixture_udp(&f, i, 80, 64));
		spx_worker_turn(f.worker);
	}
	cr_assert_gt(spx_tracer_chosen(tracer), 1000);
	cr_assert_lt(spx_tracer_chosen(tracer), 9600);
	g = groups();
	packets = json_integer_value(json_object_get(json_array_get(g, 0), "packets"));
	cr_assert_eq(json_array_size(g), 1);
	cr_assert_eq(packets, spx_tracer_chosen(tracer));
	json_decref(g);
}

Test(trace, packets_of_an_earlier_trace_are_strangers)
{
	void *m = NULL;

	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_PUNT});
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 80, 64));
	spx_worker_turn(f.worker);
	look(1, "tcp");
	cr_assert_eq(rte_ring_dequeue(f.exception, &m), 0);
	spx_meta(m)->out_port = 3;
	spx_slowpath_inject(&slow, 0, m, SPX_STAGE_enqueue);
	spx_worker_turn(f.worker);
	cr_assert_eq(spx_tracer_chosen(tracer), 0);
	cr_assert_eq(spx_trace_log_collect(trace_log, tracer), 0);
	cr_assert_eq(spx_trace_log_ended(trace_log), 0);
}

/* As a software ring does between two ports: the mbuf that went out comes in. */
Test(trace, a_packet_that_comes_in_again_is_another_one)
{
	forward_with(0);
	look(1, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	fixture_give(&f, 0, f.fake[2].out[0]);
	spx_worker_turn(f.worker);
	one_way("way", "receive   port p0\n"
		       "parse     IPv4 UDP\n"
		       "lookup    rule 7, action a1: forward to p2\n"
		       "rewrite   nothing to change\n"
		       "enqueue   port p2\n"
		       "transmit  port p2, sent\n");
}

Test(trace, packets_are_the_same_with_and_without)
{
	uint8_t seen[60];

	forward_with(SPX_ACTION_DEC_TTL | SPX_ACTION_SET_DST_MAC);
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	look(10, NULL);
	fixture_give(&f, 0, fixture_udp(&f, 9, 53, 64));
	spx_worker_turn(f.worker);
	cr_assert_eq(f.fake[2].n_out, 2);
	memcpy(seen, rte_pktmbuf_mtod(f.fake[2].out[0], uint8_t *), sizeof(seen));
	cr_assert_arr_eq(seen, rte_pktmbuf_mtod(f.fake[2].out[1], uint8_t *), sizeof(seen));
}
