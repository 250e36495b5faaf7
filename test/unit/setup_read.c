/* What a good configuration fills: every key, the defaults, file names, sizes and orders. The examples are
 * documents of the project, the rest is written here. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/sphex/setup.h"

#define REPLAY_PORT "{\"name\":\"in\",\"driver\":\"replay\",\"trace\":\"t.pcap\"}"

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static int
parse(struct spx_setup *setup, const char *text, struct spx_error *err)
{
	err->text[0] = '\0';
	cr_assert_eq(spx_setup_init(setup), 0);
	return spx_setup_parse(setup, "text", text, strlen(text), err);
}

static void
read_example(struct spx_setup *setup, const char *path)
{
	struct spx_error err = {""};

	cr_assert_eq(spx_setup_init(setup), 0);
	cr_assert_eq(spx_setup_read(setup, path, &err), 0, "%s", err.text);
}

Test(setup_read, defaults)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(parse(&s, "{\"ports\":[" REPLAY_PORT "]}", &err), 0, "%s", err.text);
	cr_expect(s.hugepages == SPX_HUGEPAGES_AUTO && s.memory_mb == 512 && s.mbufs == 16384);
	cr_expect(s.workers == 1 && s.worker_cpu[0] == -1 && s.worker_idle == SPX_IDLE_SPIN && s.burst == 32);
	cr_expect(s.slowpath_cpu == -1 && s.exception_ring == 1024 && s.inject_ring == 1024);
	cr_expect(s.flow_ring == 4096 && s.cache.mode == SPX_FLOW_MODE_layered && s.cache.ways == 16);
	cr_expect(s.cache.entries == 65536 && s.cache.entries6 == 16384 && s.cache.flows == 131072);
	cr_expect(s.cache.p == 0.001 && s.cache.ageing == SPX_FLOW_DOUBLE_BUFFERED);
	cr_expect(s.cache.idle_seconds == 60 && s.cache.flood_guard == 1000000);
	cr_expect(s.control.socket == NULL && !s.control.off && s.control.n_operators == 0);
	cr_expect_eq(s.control.readers, SPX_READERS_ANYONE);
	cr_expect(s.hash_seed == 0 && s.seconds == 0 && s.report == NULL);
	cr_expect(s.n_ports == 1 && s.port[0].max_frame == 2048 && !s.port[0].verify_checksum);
	cr_expect(s.port[0].passes == 1 && s.port[0].speed == 0 && !s.port[0].promiscuous);
	cr_expect(s.classifier == SPX_CLASSIFIER_ACL && s.rules.n == 0 && s.n_actions == 1);
	cr_expect_eq(s.action[0].action.verdict, SPX_VERDICT_DROP);
	cr_expect_eq(s.action[0].action.flags, SPX_ACTION_NO_RULE);
	cr_expect_str_eq(s.action[0].name, "default");
	spx_setup_free(&s);
}

Test(setup_read, defaults_of_ethdev_and_capture)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(parse(&s,
			     "{\"ports\":[{\"name\":\"a\",\"driver\":\"ethdev\",\"device\":\"net_null0\"},"
			     "{\"name\":\"b\",\"driver\":\"capture\",\"file\":\"f\"}]}",
			     &err),
		0, "%s", err.text);
	cr_expect(s.port[0].max_frame == 1522 && s.port[0].verify_checksum && s.port[0].promiscuous);
	cr_expect(s.port[0].rx_descriptors == 0 && s.port[0].tx_descriptors == 0 && s.port[0].file == NULL);
	cr_expect(s.port[1].snap == 0 && s.port[1].device == NULL);
	cr_expect(!s.port[0].queue.wanted && !s.port[1].queue.wanted, "not shaped");
	cr_expect_str_eq(s.port[1].file, "f", "text from memory has no folder");
	spx_setup_free(&s);
}

Test(setup_read, defaults_of_a_queue)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(
		parse(&s,
			"{\"ports\":[" REPLAY_PORT ",{\"name\":\"b\",\"driver\":\"capture\",\"file\":\"f\","
			"\"queue\":{\"rate_kbps\":0}}]}",
			&err),
		0, "%s", err.text);
	cr_expect(s.port[1].queue.wanted && s.port[1].queue.options.rate_kbps == 0);
	cr_expect(s.port[1].queue.options.limit_packets == 1000 &&
		  s.port[1].queue.options.limit_bytes == 1000000);
	spx_setup_free(&s);
}

static void
check_everything_scalars(const struct spx_setup *s)
{
	cr_expect(s->hugepages == SPX_HUGEPAGES_OFF && s->memory_mb == 256 && s->mbufs == 32768);
	cr_expect(
		s->workers == 2 && s->worker_cpu[0] == 0 && s->worker_cpu[1] == 1 && s->worker_cpu[2] == -1);
	cr_expect(s->worker_idle == SPX_IDLE_SLEEP && s->burst == 64);
	cr_expect(s->slowpath_cpu == 0 && s->exception_ring == 4096 && s->inject_ring == 512);
	cr_expect(s->flow_ring == 8192 && s->cache.mode == SPX_FLOW_MODE_exact && s->cache.ways == 8);
	cr_expect(s->cache.entries == 4096 && s->cache.entries6 == 512 && s->cache.flows == 2000);
	cr_expect(s->cache.p == 0.01 && s->cache.ageing == SPX_FLOW_COLD);
	cr_expect(s->cache.idle_seconds == 2.5 && s->cache.flood_guard == 5000);
	cr_expect(s->hash_seed == 42 && s->seconds == 2.5);
	cr_expect_str_eq(s->report, "config/examples/report.json");
	cr_expect_str_eq(s->control.socket, "/tmp/sphex.sock");
	cr_expect(s->control.n_operators == 2 && s->control.operators[0] == 1, "daemon has number 1");
	cr_expect(s->control.operators[1] == 1000 && s->control.readers == SPX_READERS_NONE);
}

static void
check_everything_ports(const struct spx_setup *s)
{
	const struct spx_setup_port *in = &s->port[0], *out = &s->port[1], *tap = &s->port[2];

	cr_assert_eq(s->n_ports, 4);
	cr_expect_str_eq(in->name, "in");
	cr_expect_str_eq(in->driver, "replay");
	cr_expect_str_eq(in->file, "config/examples/trace.pcap.gz");
	cr_expect(in->passes == 3 && in->speed == 2.0 && in->max_frame == 9216 && in->verify_checksum);
	cr_expect_str_eq(out->name, "out");
	cr_expect_str_eq(out->driver, "ethdev");
	cr_expect_str_eq(out->device, "net_null0,size=60");
	cr_expect(!out->promiscuous && out->rx_descriptors == 512 && out->tx_descriptors == 2048);
	cr_expect(out->max_frame == 1600 && !out->verify_checksum);
	cr_expect(out->mtu == 1400 && s->port[3].mtu == 1500);
	cr_expect(out->reverse_path == 2 && s->port[3].reverse_path == 1 && in->reverse_path == 0);
	cr_expect(out->queue.wanted && out->queue.options.rate_kbps == 10000);
	cr_expect(out->queue.options.limit_packets == 2000 && out->queue.options.limit_bytes == 200000);
	cr_expect(!in->queue.wanted && !tap->queue.wanted);
	cr_expect_str_eq(tap->driver, "capture");
	cr_expect_str_eq(tap->file, "/tmp/sphex-tap.pcapng", "an absolute name stays");
	cr_expect_eq(tap->snap, 128);
	cr_expect(spx_setup_find_port(s, "tap") == 2 && spx_setup_find_port(s, "top") == SPX_NO_PORT);
}

static void
check_everything_actions(const struct spx_setup *s)
{
	const struct spx_action *none = &s->action[0].action, *to_out = &s->action[1].action;
	const struct spx_action *deny = &s->action[2].action, *look = &s->action[3].action;

	cr_assert_eq(s->n_actions, 5);
	cr_expect(s->action[4].action.verdict == SPX_VERDICT_ROUTE && s->action[4].action.mirror == 2);
	cr_expect_str_eq(s->action[1].name, "to_out");
	cr_expect(to_out->verdict == SPX_VERDICT_FORWARD && to_out->port == 1 && to_out->mirror == 2);
	cr_expect_eq(to_out->flags,
		SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC | SPX_ACTION_DEC_TTL | SPX_ACTION_COUNT);
	cr_expect_arr_eq(to_out->dst_mac, ((uint8_t[]){2, 0, 0, 0, 0, 2}), 6);
	cr_expect_arr_eq(to_out->src_mac, ((uint8_t[]){2, 0, 0, 0, 0, 1}), 6);
	cr_expect(deny->verdict == SPX_VERDICT_DROP && deny->flags == SPX_ACTION_COUNT);
	cr_expect(deny->port == SPX_NO_PORT && deny->mirror == SPX_NO_PORT);
	cr_expect(look->verdict == SPX_VERDICT_PUNT && look->flags == 0 && look->mirror == 2);
	cr_expect(none->verdict == SPX_VERDICT_DROP && none->flags == (SPX_ACTION_COUNT | SPX_ACTION_NO_RULE),
		"the default is a copy of deny whose drops are counted no_rule");
}

static void
check_everything_routes(const struct spx_setup *s)
{
	const struct spx_route *two = &s->routes.change[2].route, *file = &s->routes.change[3].route;

	cr_assert_eq(s->n_addresses, 3);
	cr_expect(s->address[0].port == 1 && s->address[1].port == 1 && s->address[2].port == 3);
	cr_expect(s->address[1].family == SPX_ROUTE_IPV6 && s->address[1].length == 64);
	cr_expect_arr_eq(s->address[0].address, ((uint8_t[16]){192, 0, 2, 1}), 16);
	cr_assert_eq(s->routes.n, 7, "three, and four of the file");
	for (size_t i = 0; i < s->routes.n; i++)
		cr_expect(s->routes.change[i].operation == SPX_ROUTE_ADD &&
			  s->routes.change[i].route.origin == 0);
	cr_expect(two->n_paths == 2 && two->path[0].weight == 3 && two->path[1].port == 3);
	cr_expect(file->length == 0 && file->family == SPX_ROUTE_IPV4, "the file's first");
	cr_assert_eq(s->n_neighbours, 1);
	cr_expect(s->neighbour[0].port == 1 && s->neighbour[0].family == SPX_ROUTE_IPV4);
	cr_expect_arr_eq(s->neighbour[0].mac, ((uint8_t[]){2, 0, 0, 0, 0, 2}), 6);
}

static void
check_everything_rules(const struct spx_setup *s)
{
	static const uint32_t orders[] = {10, 26, 100, 101, 102, 1000, 1016};
	static const uint32_t actions[] = {1, 3, 1, 1, 1, 3, 2};
	const struct spx_match *first = &s->rules.rule[0].match, *second = &s->rules.rule[1].match;
	const struct spx_match *arp = &s->rules.rule[5].match;
	struct spx_match any;

	cr_expect_eq(s->classifier, SPX_CLASSIFIER_LINEAR);
	cr_assert_eq(s->rules.n, RTE_DIM(orders));
	for (size_t i = 0; i < RTE_DIM(orders); i++) {
		cr_expect_eq(s->rules.rule[i].order, orders[i], "rule %zu: %u", i, s->rules.rule[i].order);
		cr_expect_eq(s->rules.rule[i].action, actions[i]);
	}
	cr_expect(first->family == SPX_FAMILY_IPV4 && first->sip_length == 8 && first->dip_length == 32);
	cr_expect_arr_eq(first->sip, ((uint8_t[16]){10}), 16);
	cr_expect_arr_eq(first->dip, ((uint8_t[16]){192, 0, 2, 7}), 16);
	cr_expect_eq(first->fields, SPX_MATCH_PROTO | SPX_MATCH_VLAN | SPX_MATCH_PORT);
	cr_expect(first->proto == 6 && first->vlan == 100 && first->port == 0);
	cr_expect(first->sport_low == 1024 && first->sport_high == 65535);
	cr_expect(first->dport_low == 80 && first->dport_high == 80);
	cr_expect(second->family == SPX_FAMILY_IPV6 && second->sip_length == 0 && second->dip_length == 32);
	cr_expect_arr_eq(second->dip, ((uint8_t[16]){0x20, 0x01, 0x0d, 0xb8}), 16);
	cr_expect(second->fields == SPX_MATCH_PROTO && second->proto == 58 && second->sport_high == 65535);
	cr_expect(arp->family == SPX_FAMILY_OTHER && arp->fields == SPX_MATCH_ETHERTYPE);
	cr_expect_eq(arp->ethertype, 0x0806);
	spx_match_any(&any);
	cr_expect_eq(memcmp(&s->rules.rule[6].match, &any, sizeof(any)), 0);
}

static void
check_everything_shared_port(const struct spx_setup_port *shared)
{
	const struct spx_xdp_target *t = shared->target;

	cr_expect_str_eq(shared->driver, "xdp");
	cr_expect_str_eq(shared->interface, "eth0");
	cr_expect(shared->queues == 2 && shared->mode == SPX_XDP_GENERIC && !shared->promiscuous);
	cr_expect(shared->max_frame == 1600 && !shared->verify_checksum);
	cr_assert_eq(shared->n_targets, 5);
	cr_expect_eq(t++->kind, SPX_XDP_EVERYTHING);
	cr_expect(t[0].kind == SPX_XDP_UDP_PORT && t[0].udp_port == 3322 && t[1].udp_port == 4789);
	cr_expect(t[2].kind == SPX_XDP_PREFIX4 && t[2].length == 16);
	cr_expect_arr_eq(t[2].address, ((uint8_t[16]){10, 1}), 16);
	cr_expect(t[3].kind == SPX_XDP_PREFIX6 && t[3].length == 48);
	cr_expect_arr_eq(t[3].address, ((uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, 0, 1}), 16);
}

static uint32_t
targets(const char *steer, enum spx_xdp_kind *first)
{
	char text[256];
	struct spx_setup s;
	struct spx_error err;
	uint32_t n;

	snprintf(text, sizeof(text),
		"{\"ports\":[{\"name\":\"a\",\"driver\":\"xdp\",\"interface\":\"s0\"%s}]}", steer);
	cr_assert_eq(parse(&s, text, &err), 0, "%s", err.text);
	cr_expect(s.port[0].queues == 0 && s.port[0].mode == SPX_XDP_AUTO && s.port[0].promiscuous);
	cr_expect(s.port[0].max_frame == 1522 && s.port[0].verify_checksum);
	n = s.port[0].n_targets;
	*first = n > 0 ? s.port[0].target[0].kind : SPX_XDP_PREFIX6;
	spx_setup_free(&s);
	return n;
}

Test(setup_read, everything_is_steered_unless_something_is_named)
{
	enum spx_xdp_kind first;

	cr_expect(targets("", &first) == 1 && first == SPX_XDP_EVERYTHING);
	cr_expect(targets(",\"steer\":{}", &first) == 0);
	cr_expect(targets(",\"steer\":{\"everything\":false}", &first) == 0);
	cr_expect(targets(",\"steer\":{\"udp_ports\":[7]}", &first) == 1 && first == SPX_XDP_UDP_PORT);
	cr_expect(targets(",\"steer\":{\"udp_ports\":[7],\"everything\":true}", &first) == 2 &&
		  first == SPX_XDP_EVERYTHING);
}

/* everything.json has every key there is, each with another value than its default. */
Test(setup_read, every_key_arrives)
{
	struct spx_setup setup;

	read_example(&setup, "config/examples/everything.json");
	check_everything_scalars(&setup);
	check_everything_ports(&setup);
	check_everything_shared_port(&setup.port[3]);
	check_everything_actions(&setup);
	check_everything_rules(&setup);
	check_everything_routes(&setup);
	spx_setup_free(&setup);
}

Test(setup_read, examples)
{
	static const char *const paths[] = {
		"config/examples/replay.json", "config/examples/forward.json", "config/examples/mirror.json"};
	static const size_t rules[] = {3 + 3, 6, 2};
	struct spx_setup setup;

	for (size_t i = 0; i < RTE_DIM(paths); i++) {
		read_example(&setup, paths[i]);
		cr_expect_eq(setup.rules.n, rules[i], "%s", paths[i]);
		spx_setup_free(&setup);
	}
}

/* One rule with the given match, read into *match. */
static void
read_match(const char *match, struct spx_match *into)
{
	struct spx_setup setup;
	struct spx_error err;
	char text[512];

	snprintf(text, sizeof(text),
		"{\"ports\":[" REPLAY_PORT "],\"actions\":{\"x\":{\"verdict\":\"drop\"}},"
		"\"rules\":{\"list\":[{\"match\":%s,\"action\":\"x\"}]}}",
		match);
	cr_assert_eq(parse(&setup, text, &err), 0, "%s: %s", match, err.text);
	cr_assert_eq(setup.rules.n, 1);
	*into = setup.rules.rule[0].match;
	spx_setup_free(&setup);
}

Test(setup_read, spellings_of_a_match)
{
	struct spx_match m;

	read_match("{\"ethertype\":\"0x0800\"}", &m);
	cr_expect(m.family == SPX_FAMILY_IPV4 && m.fields == 0);
	read_match("{\"ethertype\":34525}", &m);
	cr_expect(m.family == SPX_FAMILY_IPV6 && m.fields == 0);
	read_match("{\"ethertype\":\"0X88cC\"}", &m);
	cr_expect(m.family == SPX_FAMILY_OTHER && m.ethertype == 0x88cc);
	read_match("{\"ethertype\":2054,\"family\":\"other\",\"vlan\":0}", &m);
	cr_expect(m.ethertype == 0x0806 && m.fields == (SPX_MATCH_ETHERTYPE | SPX_MATCH_VLAN) && m.vlan == 0);
	read_match("{\"family\":\"any\",\"sport\":\"53\",\"dport\":0}", &m);
	cr_expect(m.family == SPX_FAMILY_ANY && m.sport_low == 53 && m.sport_high == 53 && m.dport_high == 0);
	read_match("{\"src\":\"::/0\",\"dst\":\"fe80::1\"}", &m);
	cr_expect(m.family == SPX_FAMILY_IPV6 && m.sip_length == 0 && m.dip_length == 128);
	read_match("{\"src\":\"0.0.0.0/0\"}", &m);
	cr_expect(m.family == SPX_FAMILY_IPV4 && m.sip_length == 0);
	read_match("{\"proto\":\"sctp\"}", &m);
	cr_expect(m.proto == 132 && m.fields == SPX_MATCH_PROTO);
}

Test(setup_read, number_of_cpus_is_number_of_workers)
{
	struct spx_setup s;
	struct spx_error err;

	cr_assert_eq(parse(&s, "{\"workers\":{\"cpus\":[3,3,1023]},\"ports\":[" REPLAY_PORT "]}", &err), 0,
		"%s", err.text);
	cr_expect(s.workers == 3 && s.worker_cpu[2] == 1023);
	spx_setup_free(&s);
}

Test(setup_read, many_actions_and_rules)
{
	const unsigned n = 3000;
	char *text;
	size_t length;
	FILE *f = open_memstream(&text, &length);
	struct spx_setup s;
	struct spx_error err;

	fputs("{\"ports\":[" REPLAY_PORT "],\"actions\":{", f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%s\"a%u\":{\"verdict\":\"drop\"}", i > 0 ? "," : "", i);
	fputs("},\"rules\":{\"list\":[", f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%s{\"match\":{\"dport\":%u},\"action\":\"a%u\"}", i > 0 ? "," : "", i, n - 1 - i);
	fputs("]}}", f);
	fclose(f);
	cr_assert_eq(parse(&s, text, &err), 0, "%s", err.text);
	cr_assert(s.n_actions == n + 1 && s.rules.n == n);
	for (unsigned i = 0; i < n; i++) {
		cr_assert_eq(s.rules.rule[i].action, n - i);
		cr_assert_eq(s.rules.rule[i].order, 16 * (i + 1));
	}
	spx_setup_free(&s);
	free(text);
}

Test(setup_read, files_that_cannot_be_read)
{
	struct spx_setup s;
	struct spx_error err = {""};

	cr_assert_eq(spx_setup_init(&s), 0);
	cr_expect_eq(spx_setup_read(&s, "config/examples/none.json", &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "config/examples/none.json: cannot be opened"), "%s", err.text);
	cr_expect_eq(spx_setup_read(&s, "config", &err), -EISDIR);
	cr_expect_not_null(strstr(err.text, "config: cannot be read"), "%s", err.text);
	spx_setup_free(&s);
}

/* A file in a temporary folder; its path into `path`. */
static void
write_file(char path[64], const char *text, size_t length)
{
	int fd;

	snprintf(path, 64, "/tmp/sphex_setup_XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, length), (ssize_t)length);
	close(fd);
}

Test(setup_read, file_size_is_bounded)
{
	size_t length = (16u << 20) + 1;
	char *text = malloc(length), path[64];
	struct spx_setup s;
	struct spx_error err = {""};

	memset(text, ' ', length);
	write_file(path, text, length);
	cr_assert_eq(spx_setup_init(&s), 0);
	cr_expect_eq(spx_setup_read(&s, path, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "larger than 16 MiB"), "%s", err.text);
	spx_setup_free(&s);
	unlink(path);
	free(text);
}

Test(setup_read, mistake_in_a_rule_file_names_both_files)
{
	static const char text[] = "{\"ports\":[" REPLAY_PORT "],\"actions\":{\"x\":{\"verdict\":\"drop\"}},"
				   "\"rules\":{\"list\":[{\"classbench\":\"none.rules\",\"action\":\"x\"}]}}";
	struct spx_setup s;
	struct spx_error err = {""};
	char path[64];

	write_file(path, text, sizeof(text) - 1);
	cr_assert_eq(spx_setup_init(&s), 0);
	cr_expect_eq(spx_setup_read(&s, path, &err), -ENOENT);
	cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
	cr_expect_not_null(strstr(err.text, ": $.rules.list[0].classbench: /tmp/none.rules"), "%s", err.text);
	spx_setup_free(&s);
	unlink(path);
}

/* Deep nesting, control characters and odd keys: an error, printable, never a crash. */
Test(setup_read, hostile_text)
{
	static const char odd[] = "{\"ports\":[],\"\\u001b[31m\\u00e9\\\"]\":1}";
	struct spx_setup s;
	struct spx_error err;
	char *deep = malloc(100001);

	memset(deep, '[', 100000);
	deep[100000] = '\0';
	cr_expect_eq(parse(&s, deep, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "depth"), "%s", err.text);
	spx_setup_free(&s);
	free(deep);

	cr_expect_eq(parse(&s, odd, &err), -EINVAL);
	cr_expect_null(strchr(err.text, '\x1b'), "%s", err.text);
	cr_expect_not_null(strstr(err.text, "$[\"\\u001B[31m\\u00E9\\\"]\"]: is no key"), "%s", err.text);
	spx_setup_free(&s);

	cr_expect_eq(parse(&s, "{\"\x7f\": 1}", &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "$[\"?\"]: is no key"), "%s", err.text);
	spx_setup_free(&s);

	cr_expect_eq(parse(&s, "{\"a\": \x1b[31m}", &err), -EINVAL);
	cr_expect_null(strchr(err.text, '\x1b'), "%s", err.text);
	spx_setup_free(&s);
}

/* ---- files of routes ------------------------------------------------------------------------------- */

Test(setup_read, a_mistake_in_a_route_file_has_line_and_column)
{
	char folder[] = "/tmp/spx_test_XXXXXX", config[64], routes[64];
	struct spx_setup s;
	struct spx_error err;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(config, sizeof(config), "%s/c.json", folder);
	snprintf(routes, sizeof(routes), "%s/r.txt", folder);
	write_text(config, "{\"ports\":[" REPLAY_PORT "],\"routes\":[{\"file\":\"r.txt\"}]}");
	cr_assert_eq(spx_setup_init(&s), 0);
	cr_expect_eq(spx_setup_read(&s, config, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "$.routes[0].file: "), "%s", err.text);
	cr_expect_not_null(strstr(err.text, "/r.txt: cannot be opened"), "%s", err.text);
	spx_setup_free(&s);

	write_text(routes, "# comment\n10.0.0.0/8 blackhole\n10.1.0.0/16 via nowhere\n");
	cr_assert_eq(spx_setup_init(&s), 0);
	cr_expect_eq(spx_setup_read(&s, config, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "/r.txt:3:17: \"nowhere\" is no address"), "%s", err.text);
	spx_setup_free(&s);
	unlink(config);
	unlink(routes);
	rmdir(folder);
}
