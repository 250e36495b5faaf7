/* Next hops and groups: paths become objects with small ids, shared by all routes that name the same.
 *
 * table.c takes and gives back references; lookup.c and spx_route_resolve read. Objects are found by hash
 * chains. The slow path walks the chains of next hops while the table changes them: an object is complete
 * before it is linked, one that is taken out keeps its link, and its id is used again only by the next
 * batch, after a grace period (batch.c), so whoever walks arrives.
 */
#include <errno.h>

#include <rte_malloc.h>

#include "lib/route/route_internal.h"

#define END UINT32_MAX /* of a chain of groups */

static bool
leaves(uint8_t kind)
{
	return kind == SPX_NEXT_HOP_KIND_connected || kind == SPX_NEXT_HOP_KIND_gateway;
}

/* Kind, family, port and gateway: what makes two next hops the same. The chains are the operator's own
 * doing, so the hash need not be secret. */
static uint32_t
hop_head(uint8_t kind, uint8_t family, uint16_t port, const uint8_t *gateway)
{
	uint64_t high, low;

	memcpy(&high, gateway, sizeof(high));
	memcpy(&low, gateway + sizeof(high), sizeof(low));
	high = (high ^ kind ^ (uint64_t)family << 8 ^ (uint64_t)port << 16) * UINT64_C(0x9fb21c651e98df25);
	low = (low + (high ^ high >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(low >> 32) % HOP_HEADS;
}

static uint32_t
find_hop(const struct hops *h, uint8_t kind, uint8_t family, uint16_t port, const uint8_t *gateway)
{
	uint32_t id = __atomic_load_n(&h->head[hop_head(kind, family, port, gateway)], __ATOMIC_ACQUIRE);

	while (id != 0) {
		const struct spx_next_hop *hop = &h->hop[id];

		if (hop->kind == kind && hop->family == family && hop->port == port &&
			memcmp(hop->gateway, gateway, SPX_ROUTE_ADDRESS_BYTES) == 0)
			return id;
		id = __atomic_load_n(&hop->chain, __ATOMIC_ACQUIRE);
	}
	return 0;
}

unsigned
spx_route_resolve(const struct spx_routes *routes, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], uint64_t word)
{
	const uint32_t id = find_hop(routes->hops, SPX_NEXT_HOP_KIND_gateway, family, port, address);

	if (id == 0)
		return 0;
	__atomic_store_n(&routes->hops->hop[id].neighbour, word, __ATOMIC_RELAXED);
	return 1;
}

static int
make_hop(struct hops *h, uint8_t family, const struct spx_path *path, uint32_t *out, struct spx_error *err)
{
	uint32_t id = h->free_hop, *head = &h->head[hop_head(path->kind, family, path->port, path->gateway)];
	struct spx_next_hop *hop;

	if (id == 0 && h->limit == h->next_hops)
		return spx_error(err, -ENOSPC,
			"there are %u next hops, all that there is room for (next_hops)", h->next_hops);
	if (id != 0)
		h->free_hop = h->references[id];
	else
		id = h->limit;
	hop = &h->hop[id];
	*hop = (struct spx_next_hop){
		.kind = path->kind, .family = family, .port = path->port, .chain = *head};
	memcpy(hop->gateway, path->gateway, sizeof(hop->gateway));
	h->out[id] = leaves(path->kind) ? (uint8_t)path->port : NO_OUT;
	h->references[id] = 0;
	h->n_hops++;
	__atomic_store_n(head, id, __ATOMIC_RELEASE);
	if (id == h->limit)
		__atomic_store_n(&h->limit, id + 1, __ATOMIC_RELEASE);
	*out = id;
	return 0;
}

static void
put_hop(struct hops *h, uint32_t id)
{
	const struct spx_next_hop *hop = &h->hop[id];
	uint32_t *link = &h->head[hop_head(hop->kind, hop->family, hop->port, hop->gateway)];

	if (--h->references[id] > 0)
		return;
	while (*link != id)
		link = &h->hop[*link].chain;
	__atomic_store_n(link, hop->chain, __ATOMIC_RELEASE);
	h->references[id] = h->free_hop;
	h->free_hop = id;
	h->n_hops--;
	h->freed = true;
}

static int
take_hop(struct hops *h, uint8_t family, const struct spx_path *path, uint32_t *out, struct spx_error *err)
{
	int rc = 0;

	*out = find_hop(h, path->kind, family, path->port, path->gateway);
	if (*out == 0)
		rc = make_hop(h, family, path, out, err);
	if (rc == 0)
		h->references[*out]++;
	return rc;
}

/* ---- groups ---------------------------------------------------------------------------------------- */

static uint32_t *
group_head(struct hops *h, const struct group_paths *p)
{
	uint64_t hash = p->n;

	for (unsigned i = 0; i < p->n; i++)
		hash = (hash ^ p->id[i] ^ (uint64_t)p->weight[i] << 16) * UINT64_C(0x9fb21c651e98df25);
	return &h->group_head[(hash >> 32) % GROUP_HEADS];
}

static bool
same_paths(const struct group_paths *a, const struct group_paths *b)
{
	return a->n == b->n && memcmp(a->id, b->id, sizeof(a->id)) == 0 &&
	       memcmp(a->weight, b->weight, sizeof(a->weight)) == 0;
}

/* Shares 64 buckets out by weight: one each, the others one by one to the path that lacks most. */
static void
fill_buckets(const struct hops *h, const struct group_paths *p, struct group *g)
{
	unsigned share[SPX_ROUTE_PATHS_MAX], sum = 0, bucket = 0;

	*g = (struct group){0};
	for (unsigned i = 0; i < p->n; i++) {
		share[i] = 1;
		sum += p->weight[i];
		g->ports |= UINT64_C(1) << h->out[p->id[i]];
	}
	for (unsigned left = BUCKETS - p->n; left > 0; left--) {
		unsigned most = 0;
		int lack = INT32_MIN;

		for (unsigned i = 0; i < p->n; i++) {
			int lacks = (int)(p->weight[i] * BUCKETS) - (int)(share[i] * sum);

			if (lacks > lack) {
				lack = lacks;
				most = i;
			}
		}
		share[most]++;
	}
	for (unsigned i = 0; i < p->n; i++)
		for (unsigned k = 0; k < share[i]; k++)
			g->bucket[bucket++] = p->id[i];
}

static int
make_group(struct hops *h, const struct group_paths *p, uint32_t *out, struct spx_error *err)
{
	uint32_t *head = group_head(h, p), index = h->free_group;

	if (index == END && h->group_limit == h->groups)
		return spx_error(err, -ENOSPC,
			"there are %u different sets of several paths, all that there is room for (groups)",
			h->groups);
	if (index != END)
		h->free_group = h->paths[index].chain;
	else
		index = h->group_limit++;
	h->paths[index] = *p;
	h->paths[index].references = 0;
	h->paths[index].chain = *head;
	*head = index;
	fill_buckets(h, p, &h->group[index]);
	h->n_groups++;
	*out = index;
	return 0;
}

static void
put_group(struct hops *h, uint32_t index)
{
	struct group_paths *p = &h->paths[index];
	uint32_t *link = group_head(h, p);

	if (--p->references > 0)
		return;
	while (*link != index)
		link = &h->paths[*link].chain;
	*link = p->chain;
	for (unsigned i = 0; i < p->n; i++)
		put_hop(h, p->id[i]);
	p->chain = h->free_group;
	h->free_group = index;
	h->n_groups--;
	h->freed = true;
}

/* Paths sorted by id, so that the order they were written in makes no new group. */
static void
insert_path(struct group_paths *p, uint16_t id, uint16_t weight)
{
	unsigned i = p->n++;

	for (; i > 0 && p->id[i - 1] > id; i--) {
		p->id[i] = p->id[i - 1];
		p->weight[i] = p->weight[i - 1];
	}
	p->id[i] = id;
	p->weight[i] = weight;
}

static int
take_group(struct hops *h, enum spx_route_family family, const struct spx_path *path, unsigned n,
	uint32_t *out, struct spx_error *err)
{
	struct group_paths p = {0};
	uint32_t id, index;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < n; i++) {
		rc = take_hop(h, family, &path[i], &id, err);
		if (rc == 0)
			insert_path(&p, (uint16_t)id, path[i].weight);
	}
	if (rc == 0) {
		for (index = *group_head(h, &p); index != END; index = h->paths[index].chain)
			if (same_paths(&h->paths[index], &p))
				break;
		if (index == END)
			rc = make_group(h, &p, &index, err);
		else
			for (unsigned i = 0; i < p.n; i++)
				h->references[p.id[i]]--; /* the group has its own */
	}
	if (rc != 0) {
		for (unsigned i = 0; i < p.n; i++)
			put_hop(h, p.id[i]);
		return rc;
	}
	h->paths[index].references++;
	*out = h->next_hops + index;
	return 0;
}

/* ---- values ---------------------------------------------------------------------------------------- */

int
hops_take(struct hops *h, enum spx_route_family family, const struct spx_path *path, unsigned n,
	uint32_t *value, struct spx_error *err)
{
	return n == 1 ? take_hop(h, family, path, value, err) : take_group(h, family, path, n, value, err);
}

void
hops_put(struct hops *h, uint32_t value)
{
	if (value < h->next_hops)
		put_hop(h, value);
	else
		put_group(h, value - h->next_hops);
}

static void
path_of(const struct hops *h, uint32_t id, uint16_t weight, struct spx_path *path)
{
	const struct spx_next_hop *hop = &h->hop[id];

	*path = (struct spx_path){.kind = hop->kind, .port = hop->port, .weight = weight};
	memcpy(path->gateway, hop->gateway, sizeof(path->gateway));
}

unsigned
hops_paths(const struct hops *h, uint32_t value, struct spx_path path[SPX_ROUTE_PATHS_MAX])
{
	const struct group_paths *p;

	if (value < h->next_hops) {
		path_of(h, value, 1, path);
		return 1;
	}
	p = &h->paths[value - h->next_hops];
	for (unsigned i = 0; i < p->n; i++)
		path_of(h, p->id[i], p->weight[i], &path[i]);
	return p->n;
}

int
hops_create(uint32_t next_hops, uint32_t groups, int socket, struct hops *h)
{
	*h = (struct hops){.next_hops = next_hops, .groups = groups, .limit = 2, .free_group = END};
	for (unsigned i = 0; i < GROUP_HEADS; i++)
		h->group_head[i] = END;
	h->hop = rte_zmalloc_socket("spx_next_hop", next_hops * sizeof(*h->hop), RTE_CACHE_LINE_SIZE, socket);
	h->out = rte_zmalloc_socket("spx_next_hop", next_hops, RTE_CACHE_LINE_SIZE, socket);
	h->group = rte_zmalloc_socket("spx_group", groups * sizeof(*h->group), RTE_CACHE_LINE_SIZE, socket);
	h->references = calloc(next_hops, sizeof(*h->references));
	h->paths = calloc(groups, sizeof(*h->paths));
	if (h->hop == NULL || h->out == NULL || h->group == NULL || h->references == NULL || h->paths == NULL)
		return -ENOMEM;
	memset(h->out, NO_OUT, next_hops);
	for (uint32_t id = 0; id < 2; id++)
		h->hop[id] = (struct spx_next_hop){.port = SPX_NO_PORT,
			.kind = id == SPX_NEXT_HOP_NONE ? SPX_NEXT_HOP_KIND_none : SPX_NEXT_HOP_KIND_down};
	return 0;
}

void
hops_free(struct hops *h)
{
	rte_free(h->hop);
	rte_free(h->out);
	rte_free(h->group);
	free(h->references);
	free(h->paths);
}
