/* What workers ask for every packet: destination -> next hop, and whether a source address has a way back.
 *
 * Addresses of a set are gathered for the bulk lookups, since a set has gaps and keys are not addresses.
 */
#include <rte_byteorder.h>

#include "lib/route/route_internal.h"

/* Path choice mixes the flow hash its own way, so that flows that share a cache set or a queue do not share a
 * path. Applied again it gives the same flow one more choice, independent of the one before. */
static inline uint64_t
mix(uint64_t hash)
{
	return (hash ^ hash >> 32) * UINT64_C(0x9fb21c651e98df25);
}

static inline unsigned
bucket_of(uint64_t mixed)
{
	return (unsigned)(mixed >> 58);
}
static_assert(BUCKETS == 64, "bucket_of yields six bits");

static bool
is_up(const struct hops *h, uint32_t id, uint64_t ports_up)
{
	return h->out[id] == NO_OUT || (ports_up >> h->out[id] & 1) != 0;
}

/* The flow's bucket is of a path that is down. Asking for other buckets at random shares its flows out by the
 * others' weights; 64 buckets of which one may be up could be missed, so at the end all are looked at. */
static uint32_t
detour(const struct hops *h, const struct group *g, uint64_t mixed, uint64_t ports_up)
{
	const unsigned tries = 16;
	uint32_t id = SPX_NEXT_HOP_DOWN;

	if ((g->ports & ports_up) == 0)
		return SPX_NEXT_HOP_DOWN;
	for (unsigned i = 0; i < tries; i++) {
		mixed = mix(mixed);
		id = g->bucket[bucket_of(mixed)];
		if (is_up(h, id, ports_up))
			return id;
	}
	for (unsigned i = 0; i < BUCKETS && !is_up(h, id, ports_up); i++)
		id = g->bucket[i];
	return id;
}

/* The id of the next hop; *elsewhere tells when it is not the one that the flow has with all ports up. */
static inline uint32_t
choose(const struct hops *h, uint32_t value, uint64_t hash, uint64_t ports_up, bool *elsewhere)
{
	const struct group *g;
	uint64_t mixed;
	uint32_t id;

	if (likely(value < h->next_hops)) {
		if (likely(is_up(h, value, ports_up)))
			return value;
		*elsewhere = true;
		return SPX_NEXT_HOP_DOWN;
	}
	g = &h->group[value - h->next_hops];
	mixed = mix(hash);
	id = g->bucket[bucket_of(mixed)];
	if (likely(is_up(h, id, ports_up)))
		return id;
	*elsewhere = true;
	return detour(h, g, mixed, ports_up);
}

/* Answers for the members of a set in their order, the k-th member's in answer[k]; value4 and value6 make
 * values of them. The addresses lie `stride` apart from `first` on. Without tables all answers are 0. */
static void
answers4(const struct spx_routes *r, const uint8_t *first, size_t stride, uint64_t set, uint64_t answer[])
{
	const struct fib *fib = &r->fib[SPX_ROUTE_IPV4];
	uint32_t ip[SPX_BURST_MAX];
	unsigned i, n = 0;

	if (fib->v4 == NULL) {
		memset(answer, 0, spx_set_count(set) * sizeof(*answer));
		return;
	}
	SPX_FOREACH (i, set) {
		memcpy(&ip[n], first + i * stride, sizeof(ip[0]));
		ip[n] = rte_be_to_cpu_32(ip[n]);
		n++;
	}
	fib_lookup4(fib, ip, answer, n);
}

static void
answers6(const struct spx_routes *r, const uint8_t *first, size_t stride, uint64_t set, int32_t answer[])
{
	const struct fib *fib = &r->fib[SPX_ROUTE_IPV6];
	uint8_t ip[SPX_BURST_MAX][16];
	unsigned i, n = 0;

	if (fib->v6 == NULL) {
		memset(answer, 0, spx_set_count(set) * sizeof(*answer));
		return;
	}
	SPX_FOREACH (i, set)
		memcpy(ip[n++], first + i * stride, sizeof(ip[0]));
	fib_lookup6(fib, ip, answer, n);
}

static inline uint32_t
value4(const struct spx_routes *r, uint64_t answer)
{
	const uint32_t value = fib_value4(answer);

	return value != 0 ? value : r->fallback[SPX_ROUTE_IPV4];
}

static inline uint32_t
value6(const struct spx_routes *r, int32_t answer)
{
	const uint32_t value = fib_value6(answer);

	return value != 0 ? value : r->fallback[SPX_ROUTE_IPV6];
}

uint64_t
spx_route_lookup4(const struct spx_routes *r, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, uint64_t ports_up, uint32_t next_hop[])
{
	uint64_t answer[SPX_BURST_MAX];
	uint64_t firm = set;
	unsigned i, n = 0;

	answers4(r, key->dip, sizeof(*key), set, answer);
	SPX_FOREACH (i, set) {
		bool elsewhere = false;

		next_hop[i] = choose(r->hops, value4(r, answer[n++]), hash[i], ports_up, &elsewhere);
		if (unlikely(elsewhere))
			firm &= ~spx_set_one(i);
	}
	return firm;
}

uint64_t
spx_route_lookup6(const struct spx_routes *r, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, uint64_t ports_up, uint32_t next_hop[])
{
	int32_t answer[SPX_BURST_MAX];
	uint64_t firm = set;
	unsigned i, n = 0;

	answers6(r, key->dip, sizeof(*key), set, answer);
	SPX_FOREACH (i, set) {
		bool elsewhere = false;

		next_hop[i] = choose(r->hops, value6(r, answer[n++]), hash[i], ports_up, &elsewhere);
		if (unlikely(elsewhere))
			firm &= ~spx_set_one(i);
	}
	return firm;
}

/* ---- reverse path ---------------------------------------------------------------------------------- */

/* Is there a way to it, in strict mode by that port? Groups have ways only. */
static bool
has_way(const struct hops *h, uint32_t value, uint16_t port, bool strict)
{
	if (value >= h->next_hops)
		return !strict || (h->group[value - h->next_hops].ports >> port & 1) != 0;
	return h->out[value] != NO_OUT && (!strict || h->out[value] == port);
}

uint64_t
spx_route_source4(
	const struct spx_routes *r, const struct spx_key4 key[], uint64_t set, uint16_t port, bool strict)
{
	uint64_t answer[SPX_BURST_MAX], good = 0;
	unsigned i, n = 0;

	answers4(r, key->sip, sizeof(*key), set, answer);
	SPX_FOREACH (i, set)
		good |= (uint64_t)has_way(r->hops, value4(r, answer[n++]), port, strict) << i;
	return good;
}

uint64_t
spx_route_source6(
	const struct spx_routes *r, const struct spx_key6 key[], uint64_t set, uint16_t port, bool strict)
{
	int32_t answer[SPX_BURST_MAX];
	uint64_t good = 0;
	unsigned i, n = 0;

	answers6(r, key->sip, sizeof(*key), set, answer);
	SPX_FOREACH (i, set)
		good |= (uint64_t)has_way(r->hops, value6(r, answer[n++]), port, strict) << i;
	return good;
}

/* ---- next hops ------------------------------------------------------------------------------------- */

struct spx_next_hop *
spx_route_next_hops(const struct spx_routes *r)
{
	return r->hops->hop;
}

uint32_t
spx_route_next_hop_limit(const struct spx_routes *r)
{
	return __atomic_load_n(&r->hops->limit, __ATOMIC_ACQUIRE);
}
