/* Shaped ports on the packet's way: what waits, what is refused, who owns, and that the counters add up at
 * every turn. The rate itself is lib/queue's; here a gate: 1 kbit/s lets next to nothing go, 0 everything.
 */
#include <criterion/criterion.h>

#include <rte_cycles.h>

#include "app/sphex/tracer.h"
#include "test/unit/worker_fixture.h"

#define OUT  2u /* the shaped port; action 0 forwards there */
#define SHUT 1u /* kbit/s: the second packet of 60 bytes goes after half a second */
#define OPEN 0u

static struct fixture f;
static struct spx_worker *other; /* hands over to f.worker, which owns the port; no receive queues */
static struct rte_ring *ring;
static struct spx_queue *q;

static void
set(uint64_t rate, uint32_t packets)
{
	const struct spx_queue_options options = {rate, packets, 1000000};
	struct spx_error err = {""};

	if (q == NULL)
		cr_assert_eq(spx_queue_create(&options, 1000000000, f.worker->clock.ns, &q, &err), 0);
	else
		cr_assert_eq(spx_queue_set(q, &options, &err), 0, "%s", err.text);
}

static void
start(void)
{
	fixture_init(&f, 1023);
	spx_clock_init(&f.worker->clock);
	set(SHUT, 100);
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = OUT});
	f.worker->tx[OUT].port_queue = q;
	f.worker->shaped = spx_set_one(OUT);
	other = fixture_worker(&f, 1);
	ring = rte_ring_create("handover", 64, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	other->tx[OUT].port_queue = q;
	other->tx[OUT].handover = ring;
	f.worker->handover[f.worker->n_handover++] = (struct spx_worker_handover){.ring = ring, .port = OUT};
}

TestSuite(worker_queue, .init = start);

/* Both workers, with what is under way between them and in the queue. */
static void
balanced(void)
{
	struct spx_counters sum = {0};

	spx_counters_add(&sum, &f.worker->counters);
	spx_counters_add(&sum, &other->counters);
	fixture_balanced(&sum, spx_queue_depth(q) + rte_ring_count(ring));
}

static void
turn(struct spx_worker *w)
{
	spx_worker_turn(w);
	balanced();
}

static void
give(unsigned port, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fixture_give(&f, port, fixture_udp(&f, (uint8_t)i, 80, 64));
}

/* Its first packet, which a burst has been saved up for, has gone. */
static void
shut(void)
{
	rte_delay_us_block(2000);
	give(0, 1);
	turn(f.worker);
	cr_assert_eq(f.fake[OUT].n_out, 1);
	f.fake[OUT].n_out = 0;
}

static uint64_t
drops(enum spx_drop reason)
{
	return f.worker->counters.drops[reason];
}

Test(worker_queue, waits_for_its_rate_and_keeps_order)
{
	shut();
	give(0, 20);
	turn(f.worker);
	turn(f.worker);
	cr_assert_eq(f.fake[OUT].n_out, 0);
	cr_assert_eq(spx_queue_depth(q), 20);
	cr_assert_gt(spx_shaped_wait(f.worker), 100000000);
	cr_assert_lt(spx_shaped_wait(f.worker), 500000000);
	set(OPEN, 100);
	cr_assert_eq(spx_worker_turn(f.worker), 20);
	balanced();
	cr_assert_eq(f.fake[OUT].n_out, 20);
	for (uint8_t i = 0; i < 20; i++)
		cr_assert_eq(rte_pktmbuf_mtod(f.fake[OUT].out[i], uint8_t *)[29], i);
	cr_assert_eq(f.worker->counters.port[OUT].tx_packets, 21);
	cr_assert_eq(spx_shaped_wait(f.worker), UINT64_MAX);
}

Test(worker_queue, refuses_by_name)
{
	set(SHUT, 10);
	shut();
	give(0, 32);
	turn(f.worker);
	cr_assert_eq(spx_queue_depth(q), 10);
	cr_assert_eq(drops(SPX_DROP_queue_full), 22);
	cr_assert_str_eq(spx_drop_stage(SPX_DROP_queue_full), "enqueue");
	cr_assert_eq(rte_mempool_in_use_count(f.pool), 1 + 10, "the one that was sent, and those that wait");
}

Test(worker_queue, other_ports_send_at_once)
{
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_FORWARD, .port = 1, .mirror = OUT});
	rte_delay_us_block(2000);
	give(0, 20);
	turn(f.worker);
	cr_assert_eq(f.fake[1].n_out, 20);
	cr_assert_eq(f.fake[OUT].n_out + spx_queue_depth(q), 20, "the mirror copies");
	cr_assert_leq(f.fake[OUT].n_out, 1);
}

Test(worker_queue, what_the_port_does_not_take_waits)
{
	set(OPEN, 100);
	f.fake[OUT].takes = 5;
	give(0, 20);
	turn(f.worker);
	cr_assert_eq(f.fake[OUT].n_out, 5);
	cr_assert_eq(spx_queue_depth(q), 15);
	cr_assert_eq(spx_shaped_wait(f.worker), 0);
	f.fake[OUT].takes = 100;
	turn(f.worker);
	cr_assert_eq(f.fake[OUT].n_out, 20);
	cr_assert_eq(drops(SPX_DROP_tx_full), 0);
}

Test(worker_queue, a_port_that_is_down_keeps_nothing)
{
	shut();
	give(0, 20);
	turn(f.worker);
	f.fake[OUT].port.down = true;
	turn(f.worker);
	cr_assert_eq(spx_queue_depth(q), 0);
	cr_assert_eq(drops(SPX_DROP_port_down), 20);
	cr_assert_eq(f.worker->counters.transmitted, 1);
}

Test(worker_queue, others_hand_over_to_the_owner)
{
	shut();
	f.worker->n_rx = 0;
	other->rx[other->n_rx++] =
		(struct spx_worker_rx){.port = &f.fake[0].port, .net = other->inject_net[0]};
	give(0, 32);
	turn(other);
	cr_assert_eq(rte_ring_count(ring), 32);
	set(SHUT, 30);
	turn(f.worker);
	cr_assert_eq(f.fake[OUT].n_out, 0);
	cr_assert_eq(spx_queue_depth(q), 30);
	cr_assert_eq(drops(SPX_DROP_queue_full), 2);
	set(OPEN, 30);
	turn(f.worker);
	cr_assert_eq(f.fake[OUT].n_out, 30);
}

/* Two workers, every kind of hindrance: whatever happens, each packet is in one place. */
Test(worker_queue, counters_add_up_at_every_turn)
{
	uint64_t seed = 11;

	other->rx[other->n_rx++] =
		(struct spx_worker_rx){.port = &f.fake[1].port, .net = other->inject_net[1]};
	f.worker->n_rx = 1;
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t r = spx_random(&seed);

		if (f.fake[0].n_in + f.fake[1].n_in < 100)
			give(r & 1, (unsigned)(r >> 8) % 40);
		f.fake[OUT].takes = r % 3 == 0 ? 0 : (unsigned)(r >> 16) % 40;
		f.fake[OUT].port.down = r % 50 == 7;
		if (r % 20 == 1)
			set(r % 40 == 1 ? OPEN : (r >> 24) % 100000 + 1, (uint32_t)(r >> 40) % 200 + 1);
		turn(r & 2 ? f.worker : other);
		rte_pktmbuf_free_bulk(f.fake[OUT].out, f.fake[OUT].n_out);
		f.fake[OUT].n_out = 0;
	}
	cr_assert_gt(drops(SPX_DROP_queue_full), 100);
	cr_assert_gt(drops(SPX_DROP_port_down), 100);
	cr_assert_gt(f.worker->counters.transmitted, 1000);
	cr_assert_eq(drops(SPX_DROP_tx_full), 0);
}

/* ---- traces ----------------------------------------------------------------------------------------------
 */

static const char *
name(const void *arg, uint16_t port)
{
	(void)arg;
	return port == OUT ? "out" : "in";
}

static const char *
action_name(const void *arg, uint32_t action)
{
	(void)arg;
	return action == 0 ? "default" : "?";
}

/* Traces one packet more, lets `then` happen, and compares the last lines of its way. */
static void
traced(void (*then)(void), const char *const *lines, size_t n)
{
	static const struct spx_trace_names names = {name, action_name, NULL};
	static const struct spx_watch *_Atomic published;
	static struct spx_watch watch = {.wants = SPX_WATCH_TRACE};
	struct spx_trace_log *log;
	const json_t *example;
	json_t *g;

	cr_assert_eq(spx_tracer_create(1, NULL, 2, &watch.tracer, NULL), 0);
	log = spx_trace_log_create(watch.tracer);
	published = &watch;
	f.worker->watcher.published = &published;
	give(0, 1);
	turn(f.worker);
	then();
	turn(f.worker);
	cr_assert_eq(spx_trace_log_collect(log, watch.tracer), 0);
	cr_assert_eq(spx_trace_log_ended(log), 1);
	g = spx_trace_log_groups(log, &names);
	example = json_object_get(json_array_get(g, 0), "example");
	for (size_t i = 0; i < n; i++)
		cr_assert_str_eq(json_string_value(json_array_get(example, json_array_size(example) - n + i)),
			lines[i]);
	json_decref(g);
	spx_trace_log_free(log);
	spx_tracer_free(watch.tracer);
}

static void
open_gate(void)
{
	set(OPEN, 100);
}

static void
nothing(void)
{
}

Test(worker_queue, a_traced_packet_waits_and_goes_on)
{
	static const char *const lines[] = {
		"enqueue   port out, 7 in its queue", "transmit  port out, sent, queue 0"};

	shut();
	give(0, 7);
	turn(f.worker);
	traced(open_gate, lines, 2);
}

Test(worker_queue, a_traced_packet_is_refused)
{
	static const char *const lines[] = {"enqueue   port out, 7 in its queue",
		"drop      queue_full: the queue of the output port had no room: a limit was reached"};

	set(SHUT, 7);
	shut();
	give(0, 7);
	turn(f.worker);
	traced(nothing, lines, 2);
}
