/* The reference loop: life, turn, counters. parse.c is its first step, table.c its flows, acl.c the rules
 * behind them, route.c its routes, port.c the port it runs on. */
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

#define TRIAL_HEADERS 8192u /* that the variants of rte_acl are tried on */

static const struct reference_acl_layout key_layout = {.proto = offsetof(struct reference_key, proto),
	.sip = offsetof(struct reference_key, sip),
	.dip = offsetof(struct reference_key, dip),
	.sport = offsetof(struct reference_key, sport),
	.dport = offsetof(struct reference_key, dport)};

struct reference {
	struct reference_table table;
	struct reference_acl acl; /* all zero without rules */
	struct reference_options options;
	uint32_t next; /* flow of the next packet */
	struct reference_counters counters;
	struct reference_next_hop one;  /* of every packet, without routes */
	struct reference_routes routes; /* all zero without */
};

/* ---- life ------------------------------------------------------------------------------------------ */

static int
add_flows(struct reference *r, struct spx_error *err)
{
	for (uint32_t i = 0; i < r->table.most; i++) {
		struct reference_key key = reference_key_of(&r->options.flows->flow[i]);

		if (reference_table_enter(&r->table, &key, rte_hash_crc(&key, sizeof(key), 0)) < 0)
			return spx_error(err, -ENOSPC, "rte_hash took %u of %u flows", i, r->table.most);
	}
	if (r->table.n != r->table.most)
		return spx_error(err, -EEXIST, "%u of %u flows are resident: the flows are not different",
			r->table.n, r->table.most);
	return 0;
}

static int
build_acl(struct reference *r, struct spx_error *err)
{
	const struct packets_flows *flows = r->options.flows;
	unsigned n = RTE_ALIGN_FLOOR(RTE_MIN(flows->n, TRIAL_HEADERS), REFERENCE_ACL_BURST);
	struct reference_key *key = calloc(TRIAL_HEADERS, sizeof(*key));
	const void **header = calloc(TRIAL_HEADERS, sizeof(*header));
	int rc;

	if (key != NULL && header != NULL) {
		for (unsigned i = 0; i < n; i++) {
			key[i] = reference_key_of(&flows->flow[i]);
			header[i] = &key[i];
		}
		rc = reference_acl_build(r->options.rules, &key_layout, header, n, &r->acl, err);
	} else {
		rc = spx_error(err, -ENOMEM, "no memory for %u headers", n);
	}
	free(key);
	free(header);
	return rc;
}

int
reference_create(const struct reference_options *options, struct reference **out, struct spx_error *err)
{
	bool replaces = options->rules != NULL;
	struct reference *r = rte_zmalloc(NULL, sizeof(*r), RTE_CACHE_LINE_SIZE);
	int rc;

	if (r == NULL)
		return spx_error(err, -ENOMEM, "no memory for the reference loop");
	r->options = *options;
	memset(&r->one.dst, 0x02, sizeof(r->one.dst));
	memset(&r->one.src, 0x06, sizeof(r->one.src));
	rc = reference_table_create(&r->table, options->capacity,
		replaces ? options->resident : options->flows->n, replaces, err);
	if (rc == 0)
		rc = add_flows(r, err);
	if (rc == 0 && replaces)
		rc = build_acl(r, err);
	if (rc == 0 && options->routes != NULL)
		rc = reference_routes_create(&r->routes, options->routes, options->n_routes, err);
	if (rc < 0) {
		reference_free(r);
		return rc;
	}
	r->next = r->table.most % options->flows->n;
	*out = r;
	return 0;
}

void
reference_free(struct reference *r)
{
	if (r == NULL)
		return;
	reference_routes_free(&r->routes);
	reference_acl_free(&r->acl);
	reference_table_free(&r->table);
	rte_free(r);
}

/* ---- the loop -------------------------------------------------------------------------------------- */

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

/* Rewrites and counts packet i of the flow at that position. False: its TTL is used up. */
static inline bool
forward_one(struct reference *r, struct rte_mbuf *pkt, int32_t position, const struct reference_next_hop *hop)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(pkt, const struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
	struct reference_counter *counter = &r->table.counter[position];

	if (unlikely(ip->time_to_live <= 1))
		return false;
	reference_rewrite(hop, pkt);
	counter->packets++;
	counter->bytes += rte_pktmbuf_pkt_len(pkt);
	return true;
}

/* Asks the rules about the flows of the set, and enters those that have a rule. Returns the set of these,
 * with their positions. */
static uint64_t
admit(struct reference *r, const struct reference_key key[], const hash_sig_t hash[], uint64_t missed,
	int32_t position[])
{
	const void *header[REFERENCE_BURST];
	unsigned place[REFERENCE_BURST], n = 0;
	uint32_t answer[REFERENCE_BURST];
	uint64_t entered = 0;
	unsigned i;

	SPX_FOREACH (i, missed) {
		place[n] = i;
		header[n++] = &key[i];
	}
	reference_acl_lookup(&r->acl, header, answer, n);
	for (unsigned k = 0; k < n; k++) {
		i = place[k];
		if (answer[k] == 0)
			continue;
		position[i] = reference_table_enter(&r->table, &key[i], hash[i]);
		if (likely(position[i] >= 0))
			entered |= spx_set_one(i);
	}
	return entered;
}

/* Packets of flows that are resident and have a route. Returns the set to forward: TTL left. */
static inline uint64_t
forward_routed(struct reference *r, struct rte_mbuf *const pkt[], const struct reference_key key[],
	const int32_t position[], unsigned n)
{
	uint64_t next_hop[REFERENCE_BURST], good = 0;

	reference_routes_lookup(&r->routes, key, n, next_hop);
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(position[i] < 0))
			r->counters.missed++;
		else if (likely(next_hop[i] != 0 &&
				 forward_one(r, pkt[i], position[i], &r->routes.hop[next_hop[i]])))
			good |= spx_set_one(i);
	}
	return good;
}

/* Looks the keys up, counts and rewrites. Returns the set to forward: known flows with TTL left. Flows that
 * were known are counted before the others come: those may take their places. */
static inline uint64_t
forward(struct reference *r, struct rte_mbuf *const pkt[], const struct reference_key key[],
	hash_sig_t hash[], unsigned n)
{
	const void *keys[REFERENCE_BURST];
	int32_t position[REFERENCE_BURST];
	uint64_t good = 0, missed = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		keys[i] = &key[i];
	rte_hash_lookup_with_hash_bulk(r->table.hash, keys, hash, n, position);
	for (i = 0; i < n; i++)
		rte_prefetch0(&r->table.counter[RTE_MAX(position[i], 0)]);
	if (r->routes.fib != NULL)
		return forward_routed(r, pkt, key, position, n);
	for (i = 0; i < n; i++) {
		if (unlikely(position[i] < 0))
			missed |= spx_set_one(i);
		else if (likely(forward_one(r, pkt[i], position[i], &r->one)))
			good |= spx_set_one(i);
	}
	if (likely(missed == 0))
		return good;
	r->counters.missed += spx_set_count(missed);
	if (r->acl.acl == NULL)
		return good;
	missed = admit(r, key, hash, missed, position);
	SPX_FOREACH (i, missed)
		if (likely(forward_one(r, pkt[i], position[i], &r->one)))
			good |= spx_set_one(i);
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
	if (r->routes.fib != NULL)
		packets_to_router(pkt, n);
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
	return reference_table_packets(&r->table);
}

uint64_t
reference_next_hop_to(const struct reference *r, const uint8_t dip[4])
{
	struct reference_key key = {0};
	uint64_t next_hop;

	memcpy(key.dip, dip, sizeof(key.dip));
	reference_routes_lookup(&r->routes, &key, 1, &next_hop);
	return next_hop;
}

double
reference_bytes_per_flow(const struct reference *r)
{
	return reference_table_bytes_per_flow(&r->table);
}

const char *
reference_acl_variant(const struct reference *r)
{
	return r->acl.variant;
}
