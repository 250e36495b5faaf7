/* Own addresses, and the routes that come and go with them.
 *
 * Two addresses can ask for the same route: two of one prefix want its connected route, and the broadcast
 * address of a short prefix may be that of a longer one. The first of the list has it; when that one goes,
 * the next takes over. An own address is never overruled by a broadcast route.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/route/prefix.h"

/* The routes an address asks for, as REPLACE. */
static size_t
wishes(const struct spx_address *a, uint8_t origin, struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX])
{
	const uint8_t bits = (uint8_t)family_bits(a->family);
	size_t n = 0;

	for (size_t i = 0; i < SPX_ADDRESS_CHANGES_MAX; i++)
		change[i] = (struct spx_route_change){.operation = SPX_ROUTE_REPLACE,
			.route = {.family = a->family,
				.length = bits,
				.origin = origin,
				.n_paths = 1,
				.path = {{.port = a->port,
					.weight = 1,
					.kind = SPX_NEXT_HOP_KIND_broadcast}}}};
	memcpy(change[n].route.address, a->address, sizeof(a->address));
	change[n++].route.path[0].kind = SPX_NEXT_HOP_KIND_local;
	if (a->length == bits)
		return n;
	prefix_of(a->address, a->length, change[n].route.address);
	change[n].route.length = a->length;
	change[n++].route.path[0].kind = SPX_NEXT_HOP_KIND_connected;
	if (a->family != SPX_ROUTE_IPV4 || a->length > 30)
		return n;
	prefix_of(a->address, a->length, change[n++].route.address);
	for (unsigned i = 0; i < 4; i++)
		change[n].route.address[i] = a->address[i] | (uint8_t)~prefix_mask(a->length, i);
	return n + 1;
}

static bool
same_prefix(const struct spx_route *a, const struct spx_route *b)
{
	return a->family == b->family && a->length == b->length &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* What an address of the list, other than `but`, asks for at that prefix; local goes before all. */
static bool
wanted(const struct spx_address_list *list, const struct spx_address *but, const struct spx_route *route,
	uint8_t origin, struct spx_route_change *found)
{
	struct spx_route_change wish[SPX_ADDRESS_CHANGES_MAX];
	bool any = false;

	for (size_t i = 0; i < list->n; i++) {
		const size_t n = &list->address[i] != but ? wishes(&list->address[i], origin, wish) : 0;

		for (size_t k = 0; k < n; k++) {
			const bool local = wish[k].route.path[0].kind == SPX_NEXT_HOP_KIND_local;

			if (same_prefix(&wish[k].route, route) && (local || !any)) {
				*found = wish[k];
				any = true;
			}
		}
	}
	return any;
}

/* Is it the first or last address of an IPv4 prefix that has such? */
static bool
is_edge(const struct spx_address *a)
{
	struct spx_route_change wish[SPX_ADDRESS_CHANGES_MAX];
	const size_t n = wishes(a, 0, wish);

	for (size_t i = 1; i < n; i++)
		if (same_prefix(&wish[i].route, &wish[0].route))
			return true;
	return false;
}

/* Packets to it never come as far as to be for this node. */
static bool
is_never_routed(enum spx_route_family family, const uint8_t *address)
{
	static const uint8_t loopback6[SPX_ROUTE_ADDRESS_BYTES] = {[15] = 1};

	if (family == SPX_ROUTE_IPV4)
		return address[0] == 127 || (address[0] == 169 && address[1] == 254);
	return memcmp(address, loopback6, sizeof(loopback6)) == 0 ||
	       (address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
}

static int
check(const struct spx_address *a, struct spx_error *err)
{
	if (a->family >= SPX_ROUTE_FAMILIES || !is_station(a->family, a->address))
		return spx_error(err, -EINVAL,
			"no address of a single station: multicast, broadcast and the "
			"unspecified address cannot be one's own");
	if (is_never_routed(a->family, a->address))
		return spx_error(err, -EINVAL,
			"loopback and link-local addresses are not routed: give another; its IPv6 link-local "
			"address a port has by itself");
	if (a->length == 0 || a->length > family_bits(a->family))
		return spx_error(err, -EINVAL, "a prefix length of %u: give 1 to %u", a->length,
			family_bits(a->family));
	if (is_edge(a))
		return spx_error(err, -EINVAL,
			"the first and the last address of a prefix are broadcast addresses: "
			"give one between");
	if (a->port >= SPX_PORTS_MAX)
		return spx_error(err, -EINVAL, "port %u: ports are 0 to %u", a->port, SPX_PORTS_MAX - 1);
	return 0;
}

int
spx_address_add(struct spx_address_list *list, const struct spx_address *address, uint8_t origin,
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX], size_t *n, struct spx_error *err)
{
	struct spx_route_change wish[SPX_ADDRESS_CHANGES_MAX], other;
	int rc = check(address, err);
	size_t wishes_n;

	*n = 0;
	if (rc != 0)
		return rc;
	if (spx_address_find(list, address->family, address->address) != NULL)
		return spx_error(err, -EEXIST, "the address is there already: remove it first");
	if (list->n == list->room) {
		size_t room = list->room == 0 ? 8 : 2 * list->room;
		struct spx_address *more = realloc(list->address, room * sizeof(*more));

		if (more == NULL)
			return spx_error(err, -ENOMEM, "no memory for one more address");
		list->address = more;
		list->room = room;
	}
	wishes_n = wishes(address, origin, wish);
	for (size_t i = 0; i < wishes_n; i++)
		if (wish[i].route.path[0].kind == SPX_NEXT_HOP_KIND_local ||
			!wanted(list, NULL, &wish[i].route, origin, &other))
			change[(*n)++] = wish[i];
	list->address[list->n++] = *address;
	return 0;
}

int
spx_address_remove(struct spx_address_list *list, const struct spx_address *address, uint8_t origin,
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX], size_t *n, struct spx_error *err)
{
	const struct spx_address *there = spx_address_find(list, address->family, address->address);
	size_t index;

	*n = 0;
	if (there == NULL)
		return spx_error(err, -ENOENT, "that is no address of this node: give one of those shown");
	*n = wishes(there, origin, change);
	for (size_t i = 0; i < *n; i++)
		if (!wanted(list, there, &change[i].route, origin, &change[i]))
			change[i].operation = SPX_ROUTE_DELETE;
	index = (size_t)(there - list->address);
	list->n--;
	memmove(&list->address[index], &list->address[index + 1], (list->n - index) * sizeof(*list->address));
	return 0;
}

const struct spx_address *
spx_address_find(const struct spx_address_list *list, enum spx_route_family family,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES])
{
	for (size_t i = 0; i < list->n; i++)
		if (list->address[i].family == family &&
			memcmp(list->address[i].address, address, SPX_ROUTE_ADDRESS_BYTES) == 0)
			return &list->address[i];
	return NULL;
}

const struct spx_address *
spx_address_source(const struct spx_address_list *list, enum spx_route_family family, uint16_t port,
	const uint8_t toward[SPX_ROUTE_ADDRESS_BYTES])
{
	const struct spx_address *best = NULL;
	unsigned longest = 0; /* of the prefixes around it */

	for (size_t i = 0; i < list->n; i++) {
		const struct spx_address *a = &list->address[i];
		const bool around = prefix_covers(a->address, a->length, toward);

		if (a->family != family || a->port != port)
			continue;
		if (best == NULL || (around && a->length > longest)) {
			best = a;
			longest = around ? a->length : 0;
		}
	}
	return best;
}

int
spx_address_list_copy(const struct spx_address_list *from, struct spx_address_list *to)
{
	*to = (struct spx_address_list){0};
	if (from->n == 0)
		return 0;
	to->address = malloc(from->n * sizeof(*to->address));
	if (to->address == NULL)
		return -ENOMEM;
	memcpy(to->address, from->address, from->n * sizeof(*to->address));
	to->n = to->room = from->n;
	return 0;
}

void
spx_address_list_free(struct spx_address_list *list)
{
	free(list->address);
	*list = (struct spx_address_list){0};
}
