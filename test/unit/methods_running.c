/* The appliance that runs while its methods are asked; see methods_running.h. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/unit/frames.h"
#include "test/unit/methods_running.h"
#include "test/unit/trace_build.h"

#define WORKERS 2

/* Packets after which a worker's share of the trace has gone the whole way: packets are counted as received
 * before that, but all of a burst that came before the last one have gone it. */
#define WHOLE_WAY (2 * TRACE_FRAMES + 2 * SPX_BURST_MAX)

static const char text[] =
	"{\"memory\": {\"hugepages\": \"off\", \"megabytes\": %s, \"mbufs\": 4096}, \"seconds\": 60,"
	" \"hash_seed\": 1, \"workers\": {\"count\": 2, \"idle\": \"sleep\"},"
	" \"cache\": {\"mode\": \"exact\", \"entries\": 1024, \"flood_guard\": 0}, \"ports\": ["
	"  {\"name\": \"in\", \"driver\": \"replay\", \"trace\": \"%s\", \"passes\": 0},"
	"  {\"name\": \"left\", \"driver\": \"ethdev\", \"device\": \"net_null0,no-rx=1\"%s},"
	"  {\"name\": \"right\", \"driver\": \"ethdev\", \"device\": \"net_null1,no-rx=1\"}],"
	" \"actions\": {"
	"  \"web\": {\"verdict\": \"forward\", \"port\": \"left\", \"count\": true, \"decrement_ttl\": true},"
	"  \"other\": {\"verdict\": \"forward\", \"port\": \"right\"},"
	"  \"look\": {\"verdict\": \"punt\"}, \"deny\": {\"verdict\": \"drop\"}},"
	" \"rules\": {\"classifier\": \"linear\", \"default\": \"deny\", \"list\": ["
	"  {\"match\": {\"dport\": 53}, \"action\": \"web\"},"
	"  {\"match\": {\"ethertype\": \"0x0806\"}, \"action\": \"look\"},"
	"  {\"match\": {\"proto\": \"udp\", \"dport\": 80}, \"action\": \"other\"}]}%s}";

#define ROUTING_LEFT                                                                                         \
	", \"addresses\": [\"192.0.2.1/24\"], "                                                              \
	"\"queue\": {\"rate_kbps\": 1000, \"limit_packets\": 100}"
#define ROUTING_SECTIONS                                                                                     \
	", \"routes\": [\"172.16.0.0/12 via 192.0.2.2\"], \"neighbours\": [{\"address\": \"192.0.2.2\", "    \
	"\"port\": \"left\", \"mac\": \"02:00:00:00:00:02\"}]"

static void
record(struct build *b, const struct frame *f)
{
	build_record_header(b, 0, 0, f->length, f->length);
	build_bytes(b, f->bytes, f->length);
}

static void
record_udp4(struct build *b, uint8_t host, uint16_t dport, uint8_t ttl)
{
	struct frame f;

	frame_udp4(&f, 20);
	memcpy(f.bytes + f.ip + 12, (const uint8_t[]){10, 0, 0, host}, 4);
	f.bytes[f.ip + 8] = ttl;
	frame_put16(&f, f.udp + 2, dport);
	frame_checksum(&f);
	record(b, &f);
}

static void
record_others(struct build *b)
{
	struct frame f;

	frame_udp6(&f, 20);
	frame_put16(&f, f.udp + 2, 53);
	record(b, &f);
	frame_start(&f, TYPE_ARP);
	frame_arp(&f);
	record(b, &f);
	frame_udp4(&f, 20);
	f.bytes[f.ip] = 0x65;
	record(b, &f);
}

static void
write_trace(char path[])
{
	int fd = mkstemp(path);
	struct build b;

	build_pcap(&b, false, 0xa1b2c3d4, 1);
	for (uint8_t host = 1; host <= TRACE_FLOWS; host++) {
		record_udp4(&b, host, 53, 64);
		record_udp4(&b, host, 80, 64);
	}
	record_udp4(&b, 1, 53, 1);
	record_others(&b);
	cr_assert(fd >= 0 && write(fd, b.data, b.n) == (ssize_t)b.n);
	close(fd);
}

static void *
run(void *arg)
{
	struct running *r = arg;

	r->ended = spx_appliance_run(r->app, false, &r->err);
	return NULL;
}

void
running_wait(const struct running *r)
{
	for (unsigned w = 0; w < WORKERS; w++) {
		const uint64_t *received = &r->app->worker[w]->counters.received;
		uint64_t begun = __atomic_load_n(received, __ATOMIC_RELAXED);

		while (__atomic_load_n(received, __ATOMIC_RELAXED) - begun < WHOLE_WAY)
			sched_yield();
	}
}

static void
start(struct running *r, const char *megabytes, const char *left, const char *sections)
{
	char path[] = "/tmp/spx_test_XXXXXX", json[sizeof(text) + 512];
	struct spx_error err = {""};
	sigset_t signals;

	*r = (struct running){0};
	write_trace(path);
	snprintf(json, sizeof(json), text, megabytes, path, left, sections);
	cr_assert_eq(spx_setup_init(&r->setup), 0);
	cr_assert_eq(spx_setup_parse(&r->setup, "text", json, strlen(json), &err), 0, "%s", err.text);
	sigemptyset(&signals); /* for the control thread alone, so before there are others */
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	cr_assert_eq(spx_eal_start(&r->setup, &err), 0, "%s", err.text);
	cr_assert_eq(spx_appliance_create(&r->setup, &r->app, &err), 0, "%s", err.text);
	cr_assert_eq(unlink(path), 0); /* a replay has it mapped */
	cr_assert_eq(pthread_create(&r->thread, NULL, run, r), 0);
	running_wait(r);
}

void
running_start(struct running *r)
{
	start(r, "128", "", "");
}

void
running_start_routing(struct running *r)
{
	start(r, "512", ROUTING_LEFT, ROUTING_SECTIONS);
}

void
running_end(struct running *r)
{
	struct spx_report report;

	kill(getpid(), SIGTERM);
	pthread_join(r->thread, NULL);
	cr_expect_eq(r->ended, SIGTERM, "%s", r->err.text);
	spx_report_take(r->app, &report);
	cr_expect_eq(spx_report_check(&report, &r->err), 0, "%s", r->err.text);
	cr_expect_eq(spx_appliance_free(r->app, &r->err), 0, "%s", r->err.text);
	spx_setup_free(&r->setup);
	spx_eal_stop();
}

static int
call(struct running *r, running_method method, const char *params, json_t **result, struct spx_error *err)
{
	struct spx_call call = {
		.app = r->app, .method = "name", .fd = -1, .role = SPX_ROLE_OPERATOR, .err = err};
	int rc;

	if (params != NULL)
		cr_assert_not_null(call.params = json_loads(params, 0, NULL), "%s", params);
	rc = method(&call, result);
	json_decref(call.params);
	return rc;
}

json_t *
running_call(struct running *r, running_method method, const char *params)
{
	struct spx_error err = {""};
	json_t *result = NULL;

	cr_assert_eq(call(r, method, params, &result, &err), 0, "%s: %s", params, err.text);
	cr_assert_not_null(result);
	return result;
}

void
running_refuses(struct running *r, running_method method, const char *params, int code, const char *expected)
{
	struct spx_error err = {""};
	json_t *result = NULL;

	cr_expect_eq(call(r, method, params, &result, &err), code, "%s: %s", params, err.text);
	cr_expect_null(result);
	cr_expect_eq(strncmp(err.text, "name: ", 6), 0, "%s: %s", params, err.text);
	cr_expect_not_null(
		strstr(err.text, expected), "%s: '%s' should say '%s'", params, err.text, expected);
}

void
running_refuses_all(struct running *r, const struct running_mistake *mistake, size_t n)
{
	for (size_t i = 0; i < n; i++)
		running_refuses(r, mistake[i].run, mistake[i].params, mistake[i].code, mistake[i].says);
}

json_int_t
running_number(const json_t *object, const char *key)
{
	cr_assert(json_is_integer(json_object_get(object, key)), "%s", key);
	return json_integer_value(json_object_get(object, key));
}

const char *
running_word(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	cr_assert_not_null(value, "%s", key);
	return value;
}
