/* The trace generator: numbers, shares, order and validity of what it writes, looked at by a small parser of
 * its own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/trace/generate.h"
#include "test/unit/trace_build.h"

/* What one packet is, as the test sees it. */
struct seen {
	bool malformed, arp, ipv6, vlan, tcp_syn;
	uint8_t proto;
	uint8_t sip[16], dip[16];
	uint16_t sport, dport;
};

/* Both directions of a flow give the same. */
struct flow_key {
	uint8_t ip[2][16];
	uint16_t port[2];
	uint32_t proto;
};

/* What a whole trace is. */
struct statistics {
	uint64_t packets, malformed, arp, ipv6, vlan, scan, flood, full, small;
	uint64_t game_packets, web_packets;
	uint64_t first, last;
	uint32_t flows, syn_first, web_flows, web_short, game_flows;
	uint64_t web_largest; /* packets of the largest one in a hundred web flows */
};

static char folder[] = "/tmp/spx_generate.XXXXXX";
static char path[128], other[128];

static void
make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.pcap", folder);
	snprintf(other, sizeof(other), "%s/b.pcap", folder);
}

static void
remove_folder(void)
{
	(void)unlink(path);
	(void)unlink(other);
	(void)rmdir(folder);
}

static void
generate(const struct spx_generate *g, const char *to)
{
	struct spx_error err = {""};

	cr_assert_eq(spx_generate_write(g, to, NULL, NULL, &err), 0, "%s", err.text);
}

static struct spx_trace *
open_trace(const char *from)
{
	struct spx_trace *trace = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_trace_open(from, &trace, &err), 0, "%s", err.text);
	return trace;
}

/* ---- a parser for the test alone ------------------------------------------------------------------- */

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint16_t
checksum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The transport part of an IP packet, n bytes at p; the addresses are in *s. */
static void
look_transport(struct seen *s, const uint8_t *p, size_t n)
{
	size_t address = s->ipv6 ? 16 : 4;
	uint32_t pseudo = s->proto + (uint32_t)n;

	s->malformed = true;
	if (s->proto == 6) {
		if (n < 20 || (p[12] >> 4) < 5 || (size_t)(p[12] >> 4) * 4 > n)
			return;
		s->tcp_syn = (p[13] & 0x12) == 2;
	} else if (s->proto == 17) {
		if (n < 8 || get16(p + 4) < 8 || get16(p + 4) > n)
			return;
	} else {
		return;
	}
	s->malformed = false;
	s->sport = (uint16_t)get16(p);
	s->dport = (uint16_t)get16(p + 2);
	pseudo = checksum(pseudo, s->sip, address);
	pseudo = checksum(pseudo, s->dip, address);
	cr_assert_eq(checksum(pseudo, p, n), 0xffff, "transport checksum");
}

static void
look_ipv4(struct seen *s, const uint8_t *p, size_t n)
{
	size_t header, total;

	s->malformed = true;
	if (n < 20 || p[0] >> 4 != 4)
		return;
	header = (p[0] & 15) * 4u;
	total = get16(p + 2);
	if (header < 20 || header > n || total < header || total > n)
		return;
	if ((get16(p + 6) & 0x1fff) * 8 + total - header > 65535)
		return;
	cr_assert_eq(checksum(0, p, header), 0xffff, "IPv4 checksum");
	s->proto = p[9];
	memcpy(s->sip, p + 12, 4);
	memcpy(s->dip, p + 16, 4);
	look_transport(s, p + header, total - header);
}

static void
look_ipv6(struct seen *s, const uint8_t *p, size_t n)
{
	s->malformed = true;
	if (n < 40 || p[0] >> 4 != 6 || get16(p + 4) > n - 40)
		return;
	s->ipv6 = true;
	s->proto = p[6];
	memcpy(s->sip, p + 8, 16);
	memcpy(s->dip, p + 24, 16);
	look_transport(s, p + 40, get16(p + 4));
}

/* The frame as a reader sees it that fills with zeros what is cut off. */
static struct seen
look(const struct spx_trace_packet *packet)
{
	uint8_t frame[1600] = {0};
	struct seen s = {.malformed = true};
	size_t at = 12;

	cr_assert_leq(packet->length, sizeof(frame));
	memcpy(frame, packet->data, packet->captured);
	if (packet->length < 14)
		return s;
	if (get16(frame + at) == 0x8100) {
		s.vlan = true;
		at += 4;
		if (packet->length < at + 2)
			return s;
	}
	at += 2;
	switch (get16(frame + at - 2)) {
	case 0x0800:
		look_ipv4(&s, frame + at, packet->length - at);
		break;
	case 0x86dd:
		look_ipv6(&s, frame + at, packet->length - at);
		break;
	case 0x0806:
		s.malformed = packet->length < at + 28 || get16(frame + at) != 1;
		s.arp = !s.malformed;
		break;
	}
	return s;
}

/* ---- statistics ------------------------------------------------------------------------------------ */

struct flow {
	struct flow_key key;
	uint64_t packets;
	bool syn_first;
};

/* Open addressing; room for every flow twice. */
struct flow_table {
	struct flow *flow;
	uint32_t mask;
};

static struct flow *
find_flow(struct flow_table *table, const struct seen *s)
{
	struct flow_key key = {.proto = s->proto};
	bool swap = memcmp(s->sip, s->dip, 16) > 0;
	uint64_t hash = 0;
	uint32_t i;

	memcpy(key.ip[swap], s->sip, 16);
	memcpy(key.ip[!swap], s->dip, 16);
	key.port[swap] = s->sport;
	key.port[!swap] = s->dport;
	for (i = 0; i < sizeof(key); i++)
		hash = (hash ^ ((const uint8_t *)&key)[i]) * UINT64_C(0x100000001b3);
	for (i = (uint32_t)(hash >> 32) & table->mask; table->flow[i].packets != 0;
		i = (i + 1) & table->mask) {
		if (memcmp(&table->flow[i].key, &key, sizeof(key)) == 0)
			break;
	}
	table->flow[i].key = key;
	return &table->flow[i];
}

static bool
is_address(const uint8_t *ip, uint32_t address)
{
	uint8_t bytes[4];

	spx_frame_put32(bytes, address);
	return memcmp(ip, bytes, 4) == 0;
}

static int
compare_sizes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

static void
count_flows(struct statistics *st, const struct flow_table *table)
{
	uint64_t *size = calloc(table->mask + 1u, sizeof(*size));

	for (uint32_t i = 0; i <= table->mask; i++) {
		const struct flow *flow = &table->flow[i];

		if (flow->packets == 0)
			continue;
		st->flows++;
		if (flow->key.proto == 17) {
			st->game_flows++;
			st->game_packets += flow->packets;
			continue;
		}
		st->syn_first += flow->syn_first;
		st->web_short += flow->packets <= 10;
		st->web_packets += flow->packets;
		size[st->web_flows++] = flow->packets;
	}
	qsort(size, st->web_flows, sizeof(*size), compare_sizes);
	for (uint32_t i = 0; i < st->web_flows / 100; i++)
		st->web_largest += size[i];
	free(size);
}

static void
add_packet(struct statistics *st, struct flow_table *table, const struct spx_trace_packet *packet)
{
	struct seen s = look(packet);

	cr_assert_geq(packet->time, st->last, "packet %lu goes back in time", st->packets);
	if (st->packets++ == 0)
		st->first = packet->time;
	st->last = packet->time;
	st->malformed += s.malformed;
	st->arp += s.arp;
	if (s.malformed || s.arp)
		return;
	st->ipv6 += s.ipv6;
	st->vlan += s.vlan;
	st->full += packet->length >= 1514;
	st->small += packet->length <= 64;
	if (!s.ipv6 && is_address(s.sip, SPX_GENERATE_SCANNER)) {
		st->scan++;
		cr_assert(s.tcp_syn);
	} else if (!s.ipv6 && is_address(s.dip, SPX_GENERATE_VICTIM)) {
		st->flood++;
	} else {
		struct flow *flow = find_flow(table, &s);

		if (flow->packets++ == 0)
			flow->syn_first = s.tcp_syn;
	}
}

static struct statistics
examine(const char *from, uint32_t room)
{
	struct spx_trace *trace = open_trace(from);
	struct flow_table table = {calloc(room, sizeof(struct flow)), room - 1};
	struct statistics st = {0};
	struct spx_trace_packet packet;
	struct spx_error err;
	int rc;

	while ((rc = spx_trace_next(trace, &packet, &err)) == 1)
		add_packet(&st, &table, &packet);
	cr_assert_eq(rc, 0, "%s", err.text);
	count_flows(&st, &table);
	spx_trace_close(trace);
	free(table.flow);
	return st;
}

/* a of b is between low and high per cent. */
static void
expect_share(const char *what, uint64_t a, uint64_t b, double low, double high)
{
	double share = 100.0 * (double)a / (double)b;

	cr_assert(
		share >= low && share <= high, "%s: %.2f %%, %.1f to %.1f expected", what, share, low, high);
}

Test(trace_generate, default_trace, .init = make_folder, .fini = remove_folder, .timeout = 100)
{
	struct spx_generate g;
	struct statistics st;
	struct stat file;

	spx_generate_defaults(&g);
	generate(&g, path);
	cr_assert_eq(stat(path, &file), 0);
	cr_assert_leq(file.st_size, 100000000);
	st = examine(path, 1u << 18);
	cr_assert_eq(st.packets, 1200000);
	cr_assert_eq(st.flows, 80000);
	cr_assert_eq(st.scan, 24000);
	cr_assert_eq(st.flood, 60000);
	cr_assert_eq(st.malformed, 6000);
	cr_assert_eq(st.arp, 1200);
	cr_assert_eq(st.syn_first, st.web_flows);
	expect_share("IPv6", st.ipv6, st.packets, 7, 13);
	expect_share("VLAN", st.vlan, st.packets, 3, 7);
	expect_share("game packets", st.game_packets, st.packets, 30, 50);
	expect_share("frames of full size", st.full, st.packets, 10, 40);
	expect_share("frames of 64 bytes and less", st.small, st.packets, 10, 60);
	/* Most web flows are short, and the few large ones carry much. */
	expect_share("web flows of at most 10 packets", st.web_short, st.web_flows, 80, 100);
	expect_share("packets of the largest 1 % of web flows", st.web_largest, st.web_packets, 20, 60);
	cr_assert_geq(st.game_packets / st.game_flows, 1000, "game flows are long");
	expect_share("seconds of the trace", (st.last - st.first) / 1000000000, 60, 95, 130);
}

Test(trace_generate, numbers_are_exact_for_any_parameters, .init = make_folder, .fini = remove_folder)
{
	static const struct spx_generate cases[] = {
		{.seed = 2,
			.packets = 20000,
			.flows = 1000,
			.snap = 64,
			.scan = 10,
			.flood = 100,
			.malformed = 50},
		{.seed = 3, .packets = 5000, .flows = 4900, .snap = 64},
		{.seed = 4, .packets = 3000, .flows = 1, .snap = 64, .malformed = 100},
		{.seed = 5, .packets = 1, .flows = 1, .snap = 1},
		{.seed = 6, .packets = 2010, .flows = 8, .snap = 1518, .scan = 990},
		{.seed = UINT64_MAX, .packets = 10000, .flows = 9, .snap = 1, .flood = 997},
	};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		const struct spx_generate *g = &cases[i];
		struct statistics st;

		generate(g, path);
		st = examine(path, 1u << 14);
		cr_assert_eq(st.packets, g->packets, "case %zu", i);
		cr_assert_eq(st.flows, g->flows, "case %zu: %u flows", i, st.flows);
		cr_assert_eq(st.scan, g->packets * g->scan / 1000, "case %zu", i);
		cr_assert_eq(st.flood, g->packets * g->flood / 1000, "case %zu", i);
		cr_assert_eq(st.malformed, g->packets * g->malformed / 1000, "case %zu", i);
		cr_assert_eq(st.arp, g->packets / 1000, "case %zu", i);
	}
}

static uint64_t
hash_file(const char *from)
{
	FILE *f = fopen(from, "r");
	uint64_t hash = 0xcbf29ce484222325;
	int c;

	cr_assert_not_null(f);
	while ((c = getc_unlocked(f)) != EOF)
		hash = (hash ^ (uint64_t)c) * UINT64_C(0x100000001b3);
	fclose(f);
	return hash;
}

/* The second figure is the hash that another compiler, sanitizer or machine must find as well. */
Test(trace_generate, same_parameters_same_bytes, .init = make_folder, .fini = remove_folder)
{
	struct spx_generate g;
	uint64_t hash;

	spx_generate_defaults(&g);
	g.packets = 30000;
	g.flows = 2000;
	generate(&g, path);
	generate(&g, other);
	hash = hash_file(path);
	cr_assert_eq(hash, hash_file(other));
	cr_assert_eq(hash, UINT64_C(0xf52be907f4aa70ea), "hash %016lx", hash);
	g.seed = 2;
	generate(&g, other);
	cr_assert_neq(hash, hash_file(other));
}

/* Zeros put in the place of what the snap length cut off give the frame back. */
Test(trace_generate, cut_bytes_were_zeros, .init = make_folder, .fini = remove_folder)
{
	struct spx_generate g;
	struct spx_trace *cut, *whole;
	struct spx_trace_packet a, b;
	struct spx_error err;

	spx_generate_defaults(&g);
	g.packets = 20000;
	g.flows = 2000;
	generate(&g, path);
	g.snap = SPX_GENERATE_SNAP_MAX;
	generate(&g, other);
	cut = open_trace(path);
	whole = open_trace(other);
	for (uint32_t i = 0; i < g.packets; i++) {
		cr_assert_eq(spx_trace_next(cut, &a, &err), 1);
		cr_assert_eq(spx_trace_next(whole, &b, &err), 1);
		cr_assert(a.length == b.length && a.time == b.time && b.captured == b.length);
		cr_assert_eq(memcmp(a.data, b.data, a.captured), 0);
		for (uint32_t j = a.captured; j < b.captured; j++)
			cr_assert_eq(b.data[j], 0);
	}
	spx_trace_close(cut);
	spx_trace_close(whole);
}

/* Every kind of malformed frame is seen as one. */
Test(trace_generate, every_malformed_kind)
{
	struct spx_generate_frame frame = {.headers = 0};
	uint64_t random = 1;

	for (unsigned round = 0; round < 50; round++) {
		for (unsigned kind = 0; kind < spx_malformed_kinds(); kind++) {
			struct spx_trace_packet packet;

			spx_frame_malformed(&frame, kind, &random);
			packet = (struct spx_trace_packet){
				.data = frame.bytes, .captured = frame.length, .length = frame.length};
			cr_assert(look(&packet).malformed, "kind %u", kind);
			for (unsigned i = frame.headers; i < sizeof(frame.bytes); i++)
				cr_assert_eq(frame.bytes[i], 0);
		}
	}
	cr_assert_geq(spx_malformed_kinds(), 10);
}

static void
expect_refused(struct spx_generate g, const char *reason)
{
	struct spx_error err = {""};

	cr_assert_eq(spx_generate_write(&g, path, NULL, NULL, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, reason), "%s", err.text);
	cr_assert_neq(access(path, F_OK), 0);
}

Test(trace_generate, wrong_parameters, .init = make_folder, .fini = remove_folder)
{
	const struct spx_generate good = {.seed = 1, .packets = 1000, .flows = 100, .snap = 64};
	struct spx_generate g;

	g = good;
	g.packets = 0;
	expect_refused(g, "packets: 0; 1 to 4000000000 expected");
	g = good;
	g.packets = 100;
	g.malformed = 10;
	expect_refused(g, "packets: 100; at least 101 expected");
	g = good;
	g.flows = 0;
	expect_refused(g, "flows: 0; 1 to");
	g = good;
	g.flows = SPX_GENERATE_FLOWS_MAX + 1;
	expect_refused(g, "flows: 8388609; 1 to");
	g = good;
	g.snap = 0;
	expect_refused(g, "snap: 0; 1 to 1518 expected");
	g = good;
	g.snap = 1519;
	expect_refused(g, "snap: 1519; 1 to 1518 expected");
	g = good;
	g.scan = 500;
	g.flood = 501;
	expect_refused(g, "500 + 501 + 0 per mille; at most 1000");
	g = good;
	g.scan = UINT32_MAX;
	g.flood = 2;
	expect_refused(g, "per mille");
}

static void
note_progress(void *arg, uint64_t done)
{
	*(uint64_t *)arg = done;
}

Test(trace_generate, files, .init = make_folder, .fini = remove_folder)
{
	struct spx_generate g;
	struct spx_error err = {""};
	uint64_t done = 0;

	spx_generate_defaults(&g);
	g.packets = 3000;
	g.flows = 100;
	cr_assert_eq(spx_generate_write(&g, path, note_progress, &done, &err), 0);
	cr_assert_eq(done, 3000);
	cr_assert_eq(spx_generate_write(&g, "/nonexistent/x", NULL, NULL, &err), -ENOENT);
	cr_assert_not_null(strstr(err.text, "/nonexistent/x"), "%s", err.text);
	cr_assert_eq(spx_generate_write(&g, folder, NULL, NULL, &err), -EEXIST);
	cr_assert_eq(spx_generate_write(&g, "/dev/null", NULL, NULL, &err), -EEXIST);
	cr_assert_not_null(strstr(err.text, "not a regular file"), "%s", err.text);
}
