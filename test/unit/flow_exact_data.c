/* The exact cache on a real uplink: what it keeps is what a list LRU keeps. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/net.h"
#include "lib/trace/trace.h"
#include "test/unit/eal.h"
#include "test/unit/flow_exact_pair.h"

TestSuite(flow_exact_data, .init = test_eal_start, .timeout = 120);

#define TRACE   "traces/backbone/wits/auckland-uplink-20000125.pcap"
#define PACKETS 31249u /* in it, as the data's README says */

struct packets {
	struct spx_key4 key[PACKETS];
	uint64_t hash[PACKETS];
	unsigned n;
};

/* 5-tuples of the first 40 bytes, as they were captured: raw IP or Ethernet, IPv4 without options. */
static bool
read_key(const struct spx_trace_packet *packet, struct spx_key4 *key)
{
	uint32_t at = packet->ethertype != 0 ? 0 : 14;
	const uint8_t *ip = packet->data + at;

	if (packet->captured < at + 24 || ip[0] != 0x45)
		return false;
	memset(key, 0, sizeof(*key));
	memcpy(key->sip, ip + 12, 8);
	key->proto = ip[9];
	if ((key->proto == 6 || key->proto == 17) && ((ip[6] & 0x3f) | ip[7]) == 0)
		memcpy(key->sport, ip + 20, 4);
	return true;
}

static void
load(struct packets *p)
{
	const char *data = getenv("SPX_DATA");
	struct spx_trace_packet packet;
	struct spx_hash_seed seed;
	struct spx_trace *trace;
	struct spx_error err;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", data == NULL ? "../shared/data" : data, TRACE);
	if (access(path, R_OK) != 0)
		cr_skip("skipped: no ../shared/data");
	cr_assert_eq(spx_trace_open(path, &trace, &err), 0, "%s", err.text);
	spx_hash_seed_from(&seed, 1);
	while (p->n < PACKETS && spx_trace_next(trace, &packet, &err) == 1) {
		if (!read_key(&packet, &p->key[p->n]))
			continue;
		p->hash[p->n] = spx_hash4(&seed, &p->key[p->n]);
		p->n++;
	}
	spx_trace_close(trace);
	cr_assert_gt(p->n, PACKETS - PACKETS / 100);
}

static bool
use(struct spx_flow_exact *x, const struct packets *p, unsigned n)
{
	struct spx_flow_data *found;
	const uint32_t one = 1;

	if (spx_flow_exact_lookup4(x, &p->key[n], &p->hash[n], 1, &found) == 1)
		return true;
	spx_flow_exact_insert4(x, &p->key[n], &p->hash[n], 1, &one, &one, &one);
	return false;
}

static struct spx_flow_exact *
create(uint64_t entries)
{
	const struct spx_flow_exact_options options = {
		.entries = entries, .ways = 16, .socket = SOCKET_ID_ANY};
	struct spx_flow_exact *x;

	cr_assert_eq(spx_flow_exact_create(&options, &x, NULL), 0);
	spx_flow_exact_set_generation(x, 1);
	return x;
}

Test(flow_exact_data, sixteen_entries_are_a_list)
{
	static struct packets p;
	struct spx_flow_exact *x = create(16);
	struct spx_key4 list[16];
	unsigned listed = 0;

	load(&p);
	for (unsigned n = 0; n < p.n; n++) {
		unsigned at = 0;
		bool hit;

		while (at < listed && memcmp(&list[at], &p.key[n], sizeof(list[at])) != 0)
			at++;
		hit = at < listed;
		if (!hit)
			at = listed < 16 ? listed++ : 15;
		memmove(&list[1], &list[0], at * sizeof(list[0]));
		list[0] = p.key[n];
		cr_assert_eq(use(x, &p, n), hit, "packet %u", n);
	}
	spx_flow_exact_free(x);
}

/* The data's README has 0.914 for a fully associative LRU of 1,024 entries. */
Test(flow_exact_data, sets_of_sixteen_lose_little)
{
	static struct packets p;
	struct spx_flow_exact *x = create(1024);
	unsigned hits = 0;
	double ratio;

	load(&p);
	for (unsigned n = 0; n < p.n; n++)
		hits += use(x, &p, n);
	ratio = (double)hits / p.n;
	cr_log_info("%u packets, hit ratio %.4f\n", p.n, ratio);
	cr_assert(ratio > 0.894 && ratio < 0.934, "hit ratio %f", ratio);
	spx_flow_exact_free(x);
}
