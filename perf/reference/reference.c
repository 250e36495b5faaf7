/* The reference loop: table, turn, counters. parse.c is its first step, port.c the port it runs on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include "perf/reference/reference.h"

struct flow_counter {
	uint64_t packets, bytes;
};

struct reference {
	struct rte_hash *table;
	struct flow_counter *counter; /* by the flow's position in the table */
	uint64_t capacity;
	struct reference_options options;
	uint32_t next; /* flow of the next packet */
	struct reference_counters counters;
	struct rte_ether_addr dst, src; /* of every packet sent */
};

/* ---- life ------------------------------------------------------------------------------------------ */

static int
add_flows(struct reference *r, struct spx_error *err)
{
	const struct packets_flows *flows = r->options.flows;

	for (uint32_t i = 0; i < flows->n; i++) {
		const struct packets_flow *flow = &flows->flow[i];
		struct reference_key key = {.proto = flow->proto};

		memcpy(&key, flow->sip, offsetof(struct reference_key, proto));
		if (rte_hash_add_key(r->table, &key) < 0)
			return spx_error(err, -ENOSPC, "rte_hash took %u of %u flows", i, flows->n);
	}
	if (rte_hash_count(r->table) != (int32_t)flows->n)
		return spx_error(err, -EEXIST, "%d of %u flows are resident: the flows are not different",
			rte_hash_count(r->table), flows->n);
	return 0;
}

int
reference_create(const struct reference_options *options, struct reference **out, struct spx_error *err)
{
	struct rte_hash_parameters parameters = {.name = "reference",
		.entries = (uint32_t)RTE_MAX(options->capacity, 8u),
		.key_len = sizeof(struct reference_key),
		.hash_func = rte_hash_crc,
		.hash_func_init_val = 0};
	struct reference *r = rte_zmalloc(NULL, sizeof(*r), RTE_CACHE_LINE_SIZE);
	int rc;

	if (r == NULL)
		return spx_error(err, -ENOMEM, "no memory for the reference loop");
	r->options = *options;
	r->capacity = parameters.entries;
	memset(&r->dst, 0x02, sizeof(r->dst));
	memset(&r->src, 0x06, sizeof(r->src));
	r->table = rte_hash_create(&parameters);
	if (r->table != NULL)
		r->counter =
			rte_zmalloc(NULL, (size_t)(rte_hash_max_key_id(r->table) + 1) * sizeof(*r->counter),
				RTE_CACHE_LINE_SIZE);
	rc = r->counter == NULL
		     ? spx_error(err, -ENOMEM, "no memory for a table of %u flows", parameters.entries)
		     : add_flows(r, err);
	if (rc < 0) {
		reference_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void
reference_free(struct reference *r)
{
	if (r == NULL)
		return;
	rte_hash_free(r->table);
	rte_free(r->counter);
	rte_free(r);
}

/* ---- the loop -------------------------------------------------------------------------------------- */

static inline void
rewrite(struct reference *r, struct rte_mbuf *m)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ethernet + 1);
	uint32_t sum = (uint32_t)ip->hdr_checksum + RTE_BE16(0x0100);

	ethernet->dst_addr = r->dst;
	ethernet->src_addr = r->src;
	ip->time_to_live--;
	ip->hdr_checksum = (uint16_t)(sum + (sum >> 16));
}

/* Frees the packets outside the set and closes the gaps. Returns how many are left. */
static unsigned
drop_others(struct reference *r, struct rte_mbuf *pkt[], struct reference_key key[], hash_sig_t hash[],
	unsigned n, uint64_t good)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		if ((good & spx_set_one(i)) == 0) {
			rte_pktmbuf_free(pkt[i]);
			continue;
		}
		pkt[left] = pkt[i];
		key[left] = key[i];
		hash[left++] = hash[i];
	}
	r->counters.dropped += n - left;
	return left;
}

/* Looks the keys up, counts and rewrites. Returns the set to forward: known flows with TTL left. */
static inline uint64_t
forward(struct reference *r, struct rte_mbuf *const pkt[], const struct reference_key key[],
	hash_sig_t hash[], unsigned n)
{
	const void *keys[REFERENCE_BURST];
	int32_t position[REFERENCE_BURST];
	uint64_t good = 0;

	for (unsigned i = 0; i < n; i++)
		keys[i] = &key[i];
	rte_hash_lookup_with_hash_bulk(r->table, keys, hash, n, position);
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(&r->counter[RTE_MAX(position[i], 0)]);
	for (unsigned i = 0; i < n; i++) {
		const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(
			pkt[i], const struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));

		if (unlikely(position[i] < 0 || ip->time_to_live <= 1))
			continue;
		rewrite(r, pkt[i]);
		r->counter[position[i]].packets++;
		r->counter[position[i]].bytes += rte_pktmbuf_pkt_len(pkt[i]);
		good |= spx_set_one(i);
	}
	return good;
}

unsigned
reference_turn(struct reference *r)
{
	struct rte_mbuf *pkt[REFERENCE_BURST];
	struct reference_key key[REFERENCE_BURST];
	hash_sig_t hash[REFERENCE_BURST];
	unsigned received = rte_eth_rx_burst(r->options.port, 0, pkt, REFERENCE_BURST), n = received, sent;
	uint64_t good;

	if (n == 0)
		return 0;
	packets_refresh(r->options.flows, &r->next, pkt, n);
	r->counters.received += n;
	good = reference_parse(pkt, n, key, hash);
	if (unlikely(good != spx_set_first(n)))
		n = drop_others(r, pkt, key, hash, n, good);
	good = forward(r, pkt, key, hash, n);
	if (unlikely(good != spx_set_first(n)))
		n = drop_others(r, pkt, key, hash, n, good);
	sent = rte_eth_tx_burst(r->options.port, 0, pkt, (uint16_t)n);
	r->counters.transmitted += sent;
	r->counters.dropped += n - sent;
	if (unlikely(sent < n))
		rte_pktmbuf_free_bulk(pkt + sent, n - sent);
	return received;
}

/* ---- what it counted ------------------------------------------------------------------------------- */

const struct reference_counters *
reference_counters(const struct reference *r)
{
	return &r->counters;
}

uint64_t
reference_counted(const struct reference *r)
{
	uint64_t packets = 0;

	for (int32_t i = 0; i <= rte_hash_max_key_id(r->table); i++)
		packets += r->counter[i].packets;
	return packets;
}

/* rte_hash's buckets are one line of 64 bytes for 8 entries, their number the next power of two; a stored
 * key is the key and a data pointer, rounded up to 16 bytes. */
double
reference_bytes_per_flow(const struct reference *r)
{
	uint64_t buckets = rte_align64pow2(r->capacity) / 8;
	uint64_t stored = RTE_ALIGN_CEIL(sizeof(struct reference_key) + sizeof(void *), 16);
	uint64_t bytes = buckets * RTE_CACHE_LINE_SIZE + r->capacity * (stored + sizeof(struct flow_counter));

	return (double)bytes / r->options.flows->n;
}
