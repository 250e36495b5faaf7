/* Every drop reason there is: made to happen in a whole appliance, and then found in show.drops, in a trace
 * and in the comment of a capture. Workers are turned by hand; what comes in and how much goes out is the
 * test's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <rte_cycles.h>

#include "app/sphex/appliance_internal.h"
#include "app/sphex/methods.h"
#include "app/sphex/tracer.h"
#include "test/unit/bad_frames.h"

#define RING     16u   /* exceptions, injections */
#define HANDOVER 2048u /* appliance_wiring.c */

enum { IN, OUT, SIDE }; /* ports */

static const char text[] =
	"{\"memory\": {\"hugepages\": \"off\", \"megabytes\": 384, \"mbufs\": 8192}, \"hash_seed\": 1,"
	" \"workers\": {\"count\": 2}, \"slowpath\": {\"exception_ring\": 16, \"inject_ring\": 16},"
	" \"cache\": {\"mode\": \"none\"}, \"ports\": ["
	"  {\"name\": \"in\", \"driver\": \"ethdev\", \"device\": \"net_null0,no-rx=1\", \"max_frame\": 1600,"
	"   \"verify_checksum\": false, \"addresses\": [\"10.9.0.1/24\"]},"
	"  {\"name\": \"out\", \"driver\": \"capture\", \"file\": \"/tmp/spx_test_drop_reasons_%u.pcapng\"},"
	"  {\"name\": \"side\", \"driver\": \"ethdev\", \"device\": \"net_null1,no-rx=1\","
	"   \"addresses\": [\"10.8.0.1/24\"], \"queue\": {\"rate_kbps\": 8, \"limit_packets\": 2}}],"
	" \"routes\": [\"10.100.0.0/16 blackhole\", \"10.101.0.0/16 unreachable\", \"10.102.0.0/16 "
	"prohibit\","
	"  \"10.103.0.0/16 via 10.8.0.2\"],"
	" \"actions\": {\"send\": {\"verdict\": \"forward\", \"port\": \"out\"},"
	"  \"send_slowly\": {\"verdict\": \"forward\", \"port\": \"side\"}, \"route\": {\"verdict\": "
	"\"route\"},"
	"  \"deny\": {\"verdict\": \"drop\"}, \"look\": {\"verdict\": \"punt\"}},"
	" \"rules\": {\"list\": ["
	"  {\"match\": {\"dport\": 80}, \"action\": \"send\"},"
	"  {\"match\": {\"dport\": 81}, \"action\": \"send_slowly\"},"
	"  {\"match\": {\"dport\": 7}, \"action\": \"route\"},"
	"  {\"match\": {\"ethertype\": \"0x88cc\"}, \"action\": \"route\"},"
	"  {\"match\": {\"dport\": 53}, \"action\": \"deny\"},"
	"  {\"match\": {\"dport\": 22}, \"action\": \"look\"}]}}";

static struct spx_setup setup;
static struct spx_appliance *app;
static struct spx_tracer *tracer;
static struct spx_trace_log *trace_log;
static struct spx_tap *tap;
static char capture_path[] = "/tmp/spx_test_XXXXXX";

/* ---- ports of the test's own -----------------------------------------------------------------------------
 */

static struct rte_mbuf *waiting[64];
static unsigned n_waiting;
static bool out_takes = true;

static uint16_t
rx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t k = (uint16_t)RTE_MIN(n_waiting, (unsigned)n);

	(void)p;
	(void)queue;
	memcpy(pkts, waiting, k * sizeof(pkts[0]));
	n_waiting -= k;
	return k;
}

static uint16_t
tx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	(void)p;
	(void)queue;
	if (!out_takes)
		return 0;
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

/* ---- the appliance ---------------------------------------------------------------------------------------
 */

static void
start(void)
{
	static struct spx_port_ops ops[3];
	char json[sizeof(text) + 64];
	struct spx_error err = {""};

	snprintf(json, sizeof(json), text, (unsigned)getpid());
	cr_assert_eq(spx_setup_init(&setup), 0);
	cr_assert_eq(spx_setup_parse(&setup, "text", json, strlen(json), &err), 0, "%s", err.text);
	cr_assert_eq(spx_eal_start(&setup, &err), 0, "%s", err.text);
	cr_assert_eq(spx_appliance_create(&setup, &app, &err), 0, "%s", err.text);
	for (unsigned p = 0; p < 3; p++) {
		ops[p] = *app->port[p].ops;
		app->port[p].ops = &ops[p];
	}
	ops[IN].rx_burst = rx;
	ops[OUT].tx_burst = ops[SIDE].tx_burst = tx;
}

static void
stop(void)
{
	struct spx_error err = {""};

	spx_drain_drop_leftovers(app);
	spx_watch_remove_tracer(app, tracer);
	spx_tracer_free(tracer);
	spx_trace_log_free(trace_log);
	unlink(capture_path);
	cr_assert_eq(spx_appliance_free(app, &err), 0, "%s", err.text);
	unlink(setup.port[OUT].file);
	spx_setup_free(&setup);
	spx_eal_stop();
}

TestSuite(drop_reasons, .init = start, .fini = stop, .timeout = 60);

/* From here on everything that comes in is traced, and what is dropped is captured. */
static void
look(void)
{
	const char *const names[] = {"in", "out", "side"};
	struct spx_tap_options options = {.file = capture_path,
		.port = SPX_NO_PORT,
		.points = 1 << SPX_TAP_drop,
		.n_ports = 3,
		.port_name = names,
		.max_frame = 2048};
	struct spx_error err = {""};

	cr_assert_eq(spx_tracer_create(1000, NULL, 2, &tracer, &err), 0, "%s", err.text);
	cr_assert_eq(spx_watch_add_tracer(app, tracer, &err), 0, "%s", err.text);
	trace_log = spx_trace_log_create(tracer);
	options.fd = mkstemp(capture_path);
	cr_assert_eq(spx_tap_create(&options, &tap, &err), 0, "%s", err.text);
	cr_assert_eq(spx_watch_add_tap(app, tap, &err), 0, "%s", err.text);
}

/* ---- packets ---------------------------------------------------------------------------------------------
 */

static struct rte_mbuf *
mbuf_of(const uint8_t *bytes, uint32_t n, uint32_t first)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(app->pool), *second;
	uint32_t head = first > 0 ? first : n;

	cr_assert_not_null(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)head), bytes, head);
	if (first > 0) {
		second = rte_pktmbuf_alloc(app->pool);
		cr_assert_not_null(second);
		memcpy(rte_pktmbuf_append(second, (uint16_t)(n - head)), bytes + head, n - head);
		cr_assert_eq(rte_pktmbuf_chain(m, second), 0);
	}
	return m;
}

static struct spx_worker *
receiver(void)
{
	return app->worker[0]->n_rx > 0 && app->worker[0]->rx[0].port == &app->port[IN] ? app->worker[0]
											: app->worker[1];
}

static void
give(struct rte_mbuf *m)
{
	waiting[n_waiting++] = m;
	spx_worker_turn(receiver());
}

/* A UDP packet from the port: what happens to it is its destination port's rule. */
static void
give_udp(uint16_t dport)
{
	struct frame f;

	frame_udp4(&f, 20);
	frame_put16(&f, f.udp + 2, dport);
	give(mbuf_of(f.bytes, f.length, 0));
}

/* ---- where it is found -----------------------------------------------------------------------------------
 */

static bool
in_show_drops(const char *reason)
{
	struct spx_error err = {""};
	struct spx_call call = {.app = app, .method = "show.drops", .fd = -1, .err = &err};
	json_t *result = NULL, *row;
	json_int_t packets = 0;
	size_t i;

	cr_assert_eq(spx_method_show_drops(&call, &result), 0, "%s", err.text);
	json_array_foreach (json_object_get(result, "drops"), i, row) {
		if (strcmp(json_string_value(json_object_get(row, "reason")), reason) == 0)
			packets = json_integer_value(json_object_get(row, "packets"));
	}
	json_decref(result);
	return packets > 0;
}

static const char *
port_name(const void *arg, uint16_t port)
{
	(void)arg;
	return port < setup.n_ports ? setup.port[port].name : "(none)";
}

static const char *
action_name(const void *arg, uint32_t action)
{
	(void)arg;
	return setup.action[action].name;
}

static bool
in_trace(enum spx_drop reason)
{
	const struct spx_trace_names names = {port_name, action_name, NULL};
	char line[256];
	json_t *groups;
	char *all;
	bool found;

	cr_assert_eq(spx_trace_log_collect(trace_log, tracer), 0);
	groups = spx_trace_log_groups(trace_log, &names);
	all = json_dumps(groups, 0);
	snprintf(line, sizeof(line), "\"drop      %s: %s\"", spx_drop_name(reason), spx_drop_text(reason));
	found = strstr(all, line) != NULL;
	free(all);
	json_decref(groups);
	return found;
}

static bool
in_capture(enum spx_drop reason)
{
	char comment[256], *bytes;
	FILE *file;
	size_t n;
	bool found;

	spx_watch_remove_tap(app, tap);
	cr_assert_eq(spx_tap_free(tap, NULL), 0);
	file = fopen(capture_path, "r");
	bytes = malloc(1 << 20);
	cr_assert(file != NULL && bytes != NULL);
	n = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	snprintf(comment, sizeof(comment), "drop %s %s: %s", spx_drop_stage(reason), spx_drop_name(reason),
		spx_drop_text(reason));
	found = memmem(bytes, n, comment, strlen(comment)) != NULL;
	free(bytes);
	return found;
}

static void
found_everywhere(enum spx_drop reason)
{
	cr_expect(in_show_drops(spx_drop_name(reason)), "%s is not in show.drops", spx_drop_name(reason));
	cr_expect(in_trace(reason), "%s is not in the trace", spx_drop_name(reason));
	cr_expect(in_capture(reason), "%s is not in the capture", spx_drop_name(reason));
}

/* ---- parse -----------------------------------------------------------------------------------------------
 */

static void
make_malformed(enum spx_drop reason)
{
	static struct bad_packet packet;
	const struct bad_frame *row = bad_frames;
	struct spx_worker *w = receiver();
	struct rte_mbuf *m;

	while (row->reason != reason)
		cr_assert(
			++row < bad_frames + BAD_FRAMES, "no frame is dropped for %s", spx_drop_name(reason));
	bad_frame_build(row, row->bad, &packet);
	w->rx[0].net.max_frame = packet.max_frame > 0 ? packet.max_frame : 2048;
	m = mbuf_of(packet.frame.bytes, packet.frame.length, packet.first);
	m->ol_flags |= packet.port_flags;
	give(m);
}

/* ---- the others ------------------------------------------------------------------------------------------
 */

static void
make_rule_drop(void)
{
	look();
	give_udp(53);
}

static void
make_no_rule(void)
{
	look();
	give_udp(9999);
}

static struct spx_worker *
owner_of_out(void)
{
	return app->worker[OUT % 2];
}

/* By the worker that owns the port, whoever received it. */
static void
send_out(void)
{
	give_udp(80);
	spx_worker_turn(owner_of_out());
}

static void
make_tx_full(void)
{
	out_takes = false;
	look();
	send_out();
	out_takes = true;
}

static void
make_port_down(void)
{
	atomic_store(&app->port[OUT].down, true);
	look();
	send_out();
}

static void
make_handover_full(void)
{
	cr_assert_neq(receiver(), owner_of_out());
	for (unsigned i = 0; i < HANDOVER; i++)
		give_udp(80);
	look();
	give_udp(80);
	while (spx_worker_turn(owner_of_out()) > 0)
		;
}

static void
make_punt_ring_full(void)
{
	for (unsigned i = 0; i < RING; i++)
		give_udp(22);
	look();
	give_udp(22);
	while (spx_slowpath_turn(&app->slowpath) > 0)
		;
}

static struct rte_mbuf *
take_exception(void)
{
	void *m = NULL;

	cr_assert_eq(rte_ring_dequeue(app->exception, &m), 0);
	return m;
}

/* To the worker that does not turn when packets come in. */
static void
make_inject_ring_full(void)
{
	const uint16_t other = receiver() == app->worker[0] ? 1 : 0;

	for (unsigned i = 0; i < RING; i++) {
		give_udp(22);
		spx_slowpath_inject(&app->slowpath, other, take_exception(), SPX_STAGE_parse);
	}
	look();
	spx_slowpath_turn(&app->slowpath); /* takes notice */
	give_udp(22);
	spx_slowpath_inject(&app->slowpath, other, take_exception(), SPX_STAGE_parse);
	atomic_store(&app->phase, SPX_PHASE_DRAIN);
	for (int i = 0; i < 4; i++) {
		spx_worker_turn(app->worker[other]); /* they are punted again */
		spx_slowpath_turn(&app->slowpath);
	}
}

static void
make_stopping(void)
{
	look();
	give_udp(22);
	spx_drain_drop_leftovers(app);
}

/* ---- route -----------------------------------------------------------------------------------------------
 */

static const uint8_t neighbour_of_in[4] = {10, 9, 0, 2};

/* A packet for the MAC address of the port, from one address to another, that the rules say to route. */
static void
give_routed(const uint8_t from[4], const uint8_t to[4], uint8_t ttl, uint32_t data)
{
	struct frame f;

	frame_udp4(&f, data);
	frame_put16(&f, f.udp + 2, 7);
	memcpy(f.bytes, app->port[IN].mac, 6);
	memcpy(f.bytes + f.ip + 12, from, 4);
	memcpy(f.bytes + f.ip + 16, to, 4);
	f.bytes[f.ip + 8] = ttl;
	frame_checksum(&f);
	give(mbuf_of(f.bytes, f.length, 0));
}

/* To that address, when senders are told of nothing. */
static void
give_untold(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t ttl)
{
	const uint8_t to[4] = {a, b, c, d};

	look();
	receiver()->errors_left = 0;
	give_routed(neighbour_of_in, to, ttl, 20);
}

static void
make_not_ip(void)
{
	struct frame f;

	good_lldp(&f);
	memcpy(f.bytes, app->port[IN].mac, 6);
	look();
	give(mbuf_of(f.bytes, f.length, 0));
}

static void
make_other_host(void)
{
	look();
	app->config->port[IN].mac[5] ^= 1;
	give_routed(neighbour_of_in, (const uint8_t[]){10, 103, 0, 1}, 64, 20);
}

static void
make_vlan(void)
{
	struct frame f;

	good_tagged_udp4(&f);
	frame_put16(&f, f.udp + 2, 7);
	memcpy(f.bytes, app->port[IN].mac, 6);
	memcpy(f.bytes + f.ip + 16, (const uint8_t[]){10, 103, 0, 1}, 4);
	frame_checksum(&f);
	look();
	give(mbuf_of(f.bytes, f.length, 0));
}

static void
make_link_broadcast(void)
{
	look();
	memset(app->config->port[IN].mac, 2, 6);
	memset(app->port[IN].mac, 0xff, 6); /* where the test sends to */
	give_routed(neighbour_of_in, (const uint8_t[]){10, 103, 0, 1}, 64, 20);
}

static void
make_martian_source(void)
{
	look();
	give_routed((const uint8_t[]){127, 0, 0, 1}, (const uint8_t[]){10, 103, 0, 1}, 64, 20);
}

static void
make_martian_destination(void)
{
	give_untold(240, 0, 0, 1, 64);
}

static void
make_link_local(void)
{
	give_untold(169, 254, 0, 1, 64);
}

static void
make_multicast(void)
{
	give_untold(224, 0, 0, 5, 64);
}

static void
make_broadcast(void)
{
	give_untold(255, 255, 255, 255, 64);
}

static void
make_reverse_path(void)
{
	look();
	app->config->port[IN].reverse_path = SPX_REVERSE_PATH_STRICT;
	give_routed((const uint8_t[]){10, 103, 0, 9}, (const uint8_t[]){10, 103, 0, 1}, 64, 20);
}

static void
make_no_route(void)
{
	give_untold(172, 16, 0, 1, 64);
}

static void
make_path_down(void)
{
	app->ports_up = ~spx_set_one(SIDE);
	give_untold(10, 103, 0, 1, 64);
}

static void
make_blackhole(void)
{
	give_untold(10, 100, 0, 1, 64);
}

static void
make_unreachable(void)
{
	give_untold(10, 101, 0, 1, 64);
}

static void
make_prohibited(void)
{
	give_untold(10, 102, 0, 1, 64);
}

static void
make_too_big(void)
{
	app->config->port[SIDE].mtu = 40;
	give_untold(10, 103, 0, 1, 64);
}

static void
make_ttl_expired(void)
{
	give_untold(10, 103, 0, 1, 1);
}

static void
make_queue_full(void)
{
	look();
	for (unsigned i = 0; i < 8; i++)
		give_udp(81);
}

/* ---- the slow path ---------------------------------------------------------------------------------------
 */

/* The slow path's clock goes on by a second and a little. */
static void
second_later(void)
{
	app->slowpath.tsc_zero -= rte_get_tsc_hz() + rte_get_tsc_hz() / 8;
	spx_slowpath_turn(&app->slowpath);
	spx_worker_turn(app->worker[0]);
	spx_worker_turn(app->worker[1]);
}

static void
make_neighbour_failed(void)
{
	look();
	give_routed(neighbour_of_in, (const uint8_t[]){10, 103, 0, 1}, 64, 20);
	for (unsigned i = 0; i < 6; i++)
		second_later();
}

static void
make_neighbour_full(void)
{
	look();
	for (unsigned i = 0; i <= SPX_SLOW_WAITING_MAX; i++) {
		give_routed(neighbour_of_in, (const uint8_t[]){10, 103, 0, 1}, 64, 20);
		spx_slowpath_turn(&app->slowpath);
	}
}

static void
make_rate_limited(void)
{
	struct frame f;

	frame_start(&f, TYPE_IPV4);
	frame_ipv4(&f, 1, 0);
	frame_icmp(&f, 8, 0, 7); /* an identifier that the rules take for a port */
	frame_close(&f);
	memcpy(f.bytes, app->port[IN].mac, 6);
	memcpy(f.bytes + f.ip + 12, neighbour_of_in, 4);
	memcpy(f.bytes + f.ip + 16, (const uint8_t[]){10, 9, 0, 1}, 4);
	frame_checksum(&f);
	look();
	app->slowpath.echoes.left = 0;
	app->slowpath.echoes.refilled_ms = UINT64_MAX / 2; /* the slow path's clock is before it */
	give(mbuf_of(f.bytes, f.length, 0));
	spx_slowpath_turn(&app->slowpath);
}

static void
make_local_unhandled(void)
{
	look();
	give_routed(neighbour_of_in, (const uint8_t[]){10, 9, 0, 1}, 64, 20);
	spx_slowpath_turn(&app->slowpath);
}

static void (*const make[SPX_DROP_COUNT])(void) = {
	[SPX_DROP_rule_drop] = make_rule_drop,
	[SPX_DROP_not_ip] = make_not_ip,
	[SPX_DROP_other_host] = make_other_host,
	[SPX_DROP_vlan] = make_vlan,
	[SPX_DROP_link_broadcast] = make_link_broadcast,
	[SPX_DROP_martian_source] = make_martian_source,
	[SPX_DROP_martian_destination] = make_martian_destination,
	[SPX_DROP_link_local] = make_link_local,
	[SPX_DROP_multicast] = make_multicast,
	[SPX_DROP_broadcast] = make_broadcast,
	[SPX_DROP_reverse_path] = make_reverse_path,
	[SPX_DROP_no_route] = make_no_route,
	[SPX_DROP_path_down] = make_path_down,
	[SPX_DROP_blackhole] = make_blackhole,
	[SPX_DROP_unreachable] = make_unreachable,
	[SPX_DROP_prohibited] = make_prohibited,
	[SPX_DROP_too_big] = make_too_big,
	[SPX_DROP_ttl_expired] = make_ttl_expired,
	[SPX_DROP_queue_full] = make_queue_full,
	[SPX_DROP_neighbour_failed] = make_neighbour_failed,
	[SPX_DROP_neighbour_full] = make_neighbour_full,
	[SPX_DROP_local_unhandled] = make_local_unhandled,
	[SPX_DROP_rate_limited] = make_rate_limited,
	[SPX_DROP_no_rule] = make_no_rule,
	[SPX_DROP_tx_full] = make_tx_full,
	[SPX_DROP_port_down] = make_port_down,
	[SPX_DROP_handover_full] = make_handover_full,
	[SPX_DROP_punt_ring_full] = make_punt_ring_full,
	[SPX_DROP_inject_ring_full] = make_inject_ring_full,
	[SPX_DROP_stopping] = make_stopping,
};

/* A test, and so an appliance of its own, for each. */
#define TEST_REASON(name, stage, text)                                                                       \
	Test(drop_reasons, name)                                                                             \
	{                                                                                                    \
		if (make[SPX_DROP_##name] != NULL) {                                                         \
			make[SPX_DROP_##name]();                                                             \
		} else {                                                                                     \
			look();                                                                              \
			make_malformed(SPX_DROP_##name);                                                     \
		}                                                                                            \
		found_everywhere(SPX_DROP_##name);                                                           \
	}
SPX_DROP_REASONS(TEST_REASON)
