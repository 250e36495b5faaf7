/* net.parse: headers to key and hash, ours against the reference loop's parse, key and CRC; bursts of 32 of
 * 512 circulating 64-byte UDP packets, each of another flow. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "lib/net/net.h"
#include "perf/bench.h"
#include "perf/reference/reference.h"

#define FLOW_SEED 1
#define HASH_SEED 2

struct state {
	struct spx_burst burst;
	struct spx_net_options options;
	struct reference_key key[BENCH_BURST];
	hash_sig_t hash[BENCH_BURST];
	struct rte_mempool *pool;
	struct packets_flows flows;
	struct rte_mbuf *pkt[PACKETS_MBUFS];
	unsigned next;       /* place in pkt[], for both sides */
	uint64_t parsed[2];  /* packets with a key: ours, theirs */
	uint64_t offered[2]; /* packets */
};

/* Both sides copy the 32 pointers, as a receive would write them. */
static inline void
next_burst(struct state *s)
{
	for (unsigned i = 0; i < BENCH_BURST; i++)
		s->burst.pkt[i] = s->pkt[s->next + i];
	s->next = (s->next + BENCH_BURST) % PACKETS_MBUFS;
}

static void
ours(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		next_burst(s);
		s->burst.n = BENCH_BURST;
		s->burst.alive = spx_set_first(BENCH_BURST);
		spx_net_parse(&s->burst, &s->options);
		s->parsed[0] += spx_set_count(s->burst.ipv4);
	}
	s->offered[0] += ops;
}

static void
theirs(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		next_burst(s);
		s->parsed[1] += spx_set_count(reference_parse(s->burst.pkt, BENCH_BURST, s->key, s->hash));
	}
	s->offered[1] += ops;
}

static bool
same_flow(const struct spx_key4 *our, const struct reference_key *their)
{
	return our->proto == their->proto && memcmp(our->sip, their->sip, sizeof(our->sip)) == 0 &&
	       memcmp(our->dip, their->dip, sizeof(our->dip)) == 0 &&
	       memcmp(our->sport, their->sport, sizeof(our->sport)) == 0 &&
	       memcmp(our->dport, their->dport, sizeof(our->dport)) == 0;
}

/* The two have to read the same 5-tuple from every packet. */
static int
compare(struct state *s, struct spx_error *err)
{
	for (unsigned at = 0; at < PACKETS_MBUFS; at += BENCH_BURST) {
		s->next = at;
		ours(s, BENCH_BURST);
		s->next = at;
		theirs(s, BENCH_BURST);
		for (unsigned i = 0; i < BENCH_BURST; i++) {
			if (!same_flow(&s->burst.key4[i], &s->key[i]))
				return spx_error(err, -EINVAL, "packet %u: the two keys differ", at + i);
		}
	}
	return 0;
}

static void
teardown(void *state)
{
	struct state *s = state;

	rte_mempool_free(s->pool);
	packets_flows_free(&s->flows);
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct state *s = c->state;

	(void)part;
	s->options.max_frame = RTE_ETHER_MAX_LEN;
	spx_hash_seed_from(&s->options.seed, HASH_SEED);
	s->pool = rte_pktmbuf_pool_create(
		b->id, PACKETS_MBUFS, 0, sizeof(struct spx_meta), RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (s->pool == NULL ||
		packets_flows_create((uint32_t)b->size, FLOW_SEED, NULL, NULL, &s->flows) != 0 ||
		packets_alloc(&s->flows, s->pool, s->pkt, PACKETS_MBUFS) != 0)
		return spx_error(err, -ENOMEM, "no memory for %u packets", PACKETS_MBUFS);
	return compare(s, err);
}

static int
check(void *state, struct spx_error *err)
{
	const struct state *s = state;

	if (s->parsed[0] != s->offered[0] || s->parsed[1] != s->offered[1])
		return spx_error(err, -EIO,
			"not every packet got a key: ours missed %" PRIu64 ", the peer %" PRIu64,
			s->offered[0] - s->parsed[0], s->offered[1] - s->parsed[1]);
	return 0;
}

static const struct bench benches[] = {
	{.id = "net.parse",
		.unit = "ns per packet",
		.scale = BENCH_NS,
		.peer = "reference loop",
		.size = PACKETS_MBUFS,
		.state_size = sizeof(struct state),
		.setup = setup,
		.ours = ours,
		.theirs = theirs,
		.check = check,
		.teardown = teardown},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 64});
}
