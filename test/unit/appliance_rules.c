/* Rules changed while a whole appliance runs: from the return of a change on, no packet has the answer from
 * before, whatever the flow caches hold. A trace without end comes in at two workers; what goes out is
 * counted at two null ports.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "app/sphex/report.h"
#include "test/unit/trace_build.h"

#define CHANGES 20
#define PACKETS 200 /* of each worker, to see where they go after each change */
#define WORKERS 2
#define FLOWS   32 /* of each family */
#define SECOND  5  /* order of the rule that comes and goes, before the setup's, which has 16 */

enum { IN, LEFT, RIGHT }; /* ports, as below */

static const char text[] =
	"{\"memory\": {\"hugepages\": \"off\", \"megabytes\": 128, \"mbufs\": 4096}, \"seconds\": 30, "
	"\"control\": {\"socket\": \"none\"},"
	" \"hash_seed\": 1, \"workers\": {\"count\": 2},"
	" \"cache\": {\"mode\": \"%s\", \"entries\": 1024, \"flood_guard\": 0}, \"ports\": ["
	"  {\"name\": \"in\", \"driver\": \"replay\", \"trace\": \"%s\", \"passes\": 0},"
	"  {\"name\": \"left\", \"driver\": \"ethdev\", \"device\": \"net_null0,no-rx=1\"},"
	"  {\"name\": \"right\", \"driver\": \"ethdev\", \"device\": \"net_null1,no-rx=1\"}],"
	" \"actions\": {\"to_left\": {\"verdict\": \"forward\", \"port\": \"left\"},"
	"  \"to_right\": {\"verdict\": \"forward\", \"port\": \"right\"}},"
	" \"rules\": {\"list\": [{\"match\": {\"dport\": 53}, \"action\": \"to_left\"}]}}";

enum { TO_LEFT = 1, TO_RIGHT };

/* ---- what goes in ---------------------------------------------------------------------------------- */

static void
record_udp4(struct build *b, uint8_t host)
{
	const uint8_t frame[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0,
		64, 17, 0, 0, 10, 0, 0, host, 10, 0, 1, 1, 0x10, 0x00, 0, 53, 0, 26, 0, 0};

	build_record_header(b, 0, 0, sizeof(frame) + 18, sizeof(frame) + 18);
	build_bytes(b, frame, sizeof(frame));
	build_count(b, 0, 18);
}

static void
record_udp6(struct build *b, uint8_t host)
{
	const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17, 64};
	const uint8_t source[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = host};
	const uint8_t destination[16] = {0x20, 0x01, 0x0d, 0xb8, 1}, udp[] = {0x10, 0, 0, 53, 0, 8, 0, 0};

	build_record_header(b, 0, 0, 62, 62);
	build_bytes(b, head, sizeof(head));
	build_bytes(b, source, sizeof(source));
	build_bytes(b, destination, sizeof(destination));
	build_bytes(b, udp, sizeof(udp));
}

static void
write_trace(char path[])
{
	int fd = mkstemp(path);
	struct build b;

	build_pcap(&b, false, 0xa1b2c3d4, 1);
	for (uint8_t host = 1; host <= FLOWS; host++) {
		record_udp4(&b, host);
		record_udp6(&b, host);
	}
	cr_assert(fd >= 0 && write(fd, b.data, b.n) == (ssize_t)b.n);
	close(fd);
}

/* The setup for a cache mode; DPDK runs for it from here on. */
static void
start(struct spx_setup *setup, const char *mode)
{
	char path[] = "/tmp/spx_test_XXXXXX", json[sizeof(text) + 64];
	struct spx_error err = {""};
	sigset_t signals;

	write_trace(path);
	snprintf(json, sizeof(json), text, mode, path);
	cr_assert_eq(spx_setup_init(setup), 0);
	cr_assert_eq(spx_setup_parse(setup, "text", json, strlen(json), &err), 0, "%s", err.text);
	sigemptyset(&signals); /* for the control thread alone, so before there are others */
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	cr_assert_eq(spx_eal_start(setup, &err), 0, "%s", err.text);
}

static int
create(const struct spx_setup *setup, struct spx_appliance **app, struct spx_error *err)
{
	int r = spx_appliance_create(setup, app, err);

	cr_assert_eq(unlink(setup->port[IN].file), 0); /* a replay has it mapped */
	return r;
}

static void
stop(struct spx_setup *setup)
{
	spx_setup_free(setup);
	spx_eal_stop();
}

/* ---- who changes rules ----------------------------------------------------------------------------- */

/* A thread beside the appliance's, as a control plane would be. It asserts nothing itself: Criterion does
 * that in the test's own thread. */
struct changer {
	struct spx_appliance *app;
	char failure[1200]; /* what went wrong first; empty: nothing did */
	_Atomic bool ended; /* the appliance has */
};

static bool __attribute__((format(printf, 2, 3))) fail(struct changer *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->failure, sizeof(c->failure), format, args);
	va_end(args);
	return false;
}

static uint64_t
sent_by(const struct changer *c, unsigned worker, unsigned port)
{
	return __atomic_load_n(&c->app->worker[worker]->counters.port[port].tx_packets, __ATOMIC_RELAXED);
}

static uint64_t
sent(const struct changer *c, unsigned port)
{
	uint64_t sum = 0;

	for (unsigned w = 0; w < WORKERS; w++)
		sum += sent_by(c, w, port);
	return sum;
}

/* From now on every packet goes out by `port`, none by `other`. */
static bool
only(struct changer *c, const char *change, unsigned port, unsigned other)
{
	uint64_t old = sent(c, other), begun[WORKERS];

	for (unsigned w = 0; w < WORKERS; w++)
		begun[w] = sent_by(c, w, port);
	for (unsigned w = 0; w < WORKERS; w++)
		while (sent_by(c, w, port) - begun[w] < PACKETS && sent(c, other) == old) {
			if (atomic_load(&c->ended))
				return fail(c, "%s: no packet goes out by port %u", change, port);
			sched_yield();
		}
	return sent(c, other) == old ||
	       fail(c, "%s: %lu packets had the old answer", change, sent(c, other) - old);
}

static bool
change(struct changer *c)
{
	struct spx_rule second = {.order = SECOND, .action = TO_RIGHT};
	struct spx_error err = {""};

	spx_match_any(&second.match);
	second.match.dport_low = second.match.dport_high = 53;
	if (!only(c, "the setup", LEFT, RIGHT))
		return false;
	for (int i = 0; i < CHANGES; i++) {
		if (spx_rule_table_add(c->app->rules, &second, &err) < 0)
			return fail(c, "add: %s", err.text);
		if (!only(c, "add", RIGHT, LEFT))
			return false;
		if (spx_rule_table_delete(c->app->rules, SECOND, &err) < 0)
			return fail(c, "delete: %s", err.text);
		if (!only(c, "delete", LEFT, RIGHT))
			return false;
	}
	if (spx_rule_table_add(c->app->rules, &second, &err) < 0)
		return fail(c, "last add: %s", err.text);
	spx_rule_table_settle(c->app->rules);
	return only(c, "settle", RIGHT, LEFT);
}

static void *
changer_thread(void *arg)
{
	change(arg);
	kill(getpid(), SIGTERM); /* as a user ends the program */
	return NULL;
}

/* ---- tests ----------------------------------------------------------------------------------------- */

TestSuite(appliance, .timeout = 60);

/* Compiles publish too, but begin no generation of the rules, or the caches would forget for nothing. */
static void
expect_generations(const struct spx_appliance *app)
{
	const struct spx_config *config = app->config;

	cr_expect_eq(config->rules_generation, 2 + 2 * CHANGES + 1, "no rules, those of the setup, changes");
	cr_expect_gt(config->generation, config->rules_generation, "the last change was compiled");
}

static void
change_rules_under(const char *mode)
{
	struct changer c = {0};
	struct spx_setup setup;
	struct spx_report report;
	struct spx_error err = {""};
	pthread_t thread;

	start(&setup, mode);
	cr_assert_eq(create(&setup, &c.app, &err), 0, "%s", err.text);
	cr_assert_eq(pthread_create(&thread, NULL, changer_thread, &c), 0);
	cr_expect_eq(spx_appliance_run(c.app, false, &err), SIGTERM, "%s", err.text);
	atomic_store(&c.ended, true);
	pthread_join(thread, NULL);
	cr_assert_str_empty(c.failure, "%s", c.failure);
	expect_generations(c.app);
	spx_report_take(c.app, &report);
	cr_expect_eq(spx_report_check(&report, &err), 0, "%s", err.text);
	cr_expect_eq(spx_counters_drops(&report.workers), 0, "never between two sets of rules");
	if (setup.cache.mode == SPX_FLOW_MODE_exact) {
		cr_expect_eq(report.cache.exact[SPX_FLOW_IPV4].inserted, FLOWS);
		cr_expect_eq(report.cache.exact[SPX_FLOW_IPV6].inserted, FLOWS);
		cr_expect_geq(report.cache.counters.exact_misses, 2 * FLOWS * 2 * CHANGES, "caches forget");
	}
	cr_expect_eq(spx_appliance_free(c.app, &err), 0, "%s", err.text);
	stop(&setup);
}

Test(appliance, rules_change_without_a_cache)
{
	change_rules_under("none");
}

Test(appliance, rules_change_with_an_exact_cache)
{
	change_rules_under("exact");
}

Test(appliance, rules_change_with_layered_caches)
{
	change_rules_under("layered");
}

Test(appliance, rules_change_with_an_approximate_cache)
{
	change_rules_under("approximate");
}

/* What a flow cache refuses keeps its code, and names the worker. */
Test(appliance, a_cache_that_cannot_be)
{
	struct spx_appliance *app;
	struct spx_setup setup;
	struct spx_error err = {""};

	start(&setup, "exact");
	setup.cache.ways = SPX_FLOW_WAYS_MAX + 1;
	cr_expect_eq(create(&setup, &app, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "worker 0: "), "%s", err.text);
	stop(&setup);
}
