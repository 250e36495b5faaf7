/* The longest-prefix tables of one copy: rte_fib (DIR24_8) for IPv4, rte_lpm6 for IPv6, and their quirks.
 * route.h argues for them. table.c writes into a copy while nobody reads it; lookup.c reads.
 *
 * rte_fib 22.11 reserves a tbl8 for a /24 at its first longer prefix and gives it back with the last, but
 * forgets to reserve when that prefix has the answer of the one around it; the count then falls below zero,
 * and every longer prefix is refused. So what is stored is value << 1 | (length > 24): a longer prefix never
 * has the answer of a shorter one, and the count is exact.
 */
#include <errno.h>
#include <stdio.h>

#include <rte_byteorder.h>
#include <rte_errno.h>

#include "lib/route/route_internal.h"

#define NARROW_MAX 0x7fffu /* two-byte entries of DIR24_8 hold 15 bits, values and tbl8 numbers alike */

static bool
narrow4(const struct spx_route_options *o)
{
	return 2 * (o->next_hops + o->groups) + 1 <= NARROW_MAX && o->tbl8_4 <= NARROW_MAX;
}

/* rte_fib: two nodes of its tree for each route, each an element of a mempool with its header; rte_lpm6: its
 * rules in a hash table. Measured, rounded. */
uint64_t
fib_bytes(enum spx_route_family family, const struct spx_route_options *o)
{
	const uint64_t entry = family == SPX_ROUTE_IPV4 && narrow4(o) ? 2 : 4;

	if (family == SPX_ROUTE_IPV4)
		return (((uint64_t)1 << 24) + o->tbl8_4 * UINT64_C(256)) * entry + o->routes4 * UINT64_C(400);
	return (((uint64_t)1 << 24) + o->tbl8_6 * UINT64_C(256)) * entry + o->routes6 * UINT64_C(100);
}

int
fib_create(enum spx_route_family family, const struct spx_route_options *o, struct fib *fib,
	struct spx_error *err)
{
	char name[24];

	snprintf(name, sizeof(name), "r%" PRIxPTR, (uintptr_t)fib); /* DPDK's names are one a process */
	if (family == SPX_ROUTE_IPV4)
		fib->v4 = rte_fib_create(name, o->socket,
			&(struct rte_fib_conf){.type = RTE_FIB_DIR24_8,
				.default_nh = 0,
				.max_routes = (int)o->routes4,
				.dir24_8 = {.nh_sz = narrow4(o) ? RTE_FIB_DIR24_8_2B : RTE_FIB_DIR24_8_4B,
					.num_tbl8 = o->tbl8_4}});
	else
		fib->v6 = rte_lpm6_create(name, o->socket,
			&(struct rte_lpm6_config){.max_rules = o->routes6, .number_tbl8s = o->tbl8_6});
	if (fib->v4 != NULL || fib->v6 != NULL)
		return 0;
	return spx_error(err, -ENOMEM,
		"no memory for the IPv%d route tables (%s): two copies of about %u MB are needed; "
		"raise memory.megabytes",
		family == SPX_ROUTE_IPV4 ? 4 : 6, rte_strerror(rte_errno),
		(unsigned)(fib_bytes(family, o) >> 20) + 1);
}

void
fib_free(struct fib *fib)
{
	rte_fib_free(fib->v4);
	if (fib->v6 != NULL)
		rte_lpm6_free(fib->v6);
	*fib = (struct fib){0};
}

static uint32_t
host_order(const uint8_t *address)
{
	uint32_t ip;

	memcpy(&ip, address, sizeof(ip));
	return rte_be_to_cpu_32(ip);
}

int
fib_set(struct fib *fib, enum spx_route_family family, const uint8_t *address, unsigned length,
	uint32_t value)
{
	int rc;

	if (family == SPX_ROUTE_IPV4)
		rc = value == 0 ? rte_fib_delete(fib->v4, host_order(address), (uint8_t)length)
				: rte_fib_add(fib->v4, host_order(address), (uint8_t)length,
					  (uint64_t)value << 1 | (length > 24));
	else
		rc = value == 0 ? rte_lpm6_delete(fib->v6, address, (uint8_t)length)
				: rte_lpm6_add(fib->v6, address, (uint8_t)length, value);
	return rc == 0 ? 0 : -ENOSPC; /* arguments are checked before: all that is left is room */
}

void
fib_lookup4(const struct fib *fib, uint32_t ip[], uint64_t answer[], unsigned n)
{
	rte_fib_lookup_bulk(fib->v4, ip, answer, (int)n);
}

void
fib_lookup6(const struct fib *fib, uint8_t ip[][16], int32_t answer[], unsigned n)
{
	rte_lpm6_lookup_bulk_func(fib->v6, ip, answer, n);
}

uint32_t
routes_value(const struct spx_routes *r, enum spx_route_family family, const uint8_t *address)
{
	const struct fib *fib = &r->fib[family];
	uint32_t value = 0;

	if (fib->v4 != NULL) {
		uint32_t ip = host_order(address);
		uint64_t answer;

		fib_lookup4(fib, &ip, &answer, 1);
		value = fib_value4(answer);
	} else if (fib->v6 != NULL) {
		uint8_t ip[1][16];
		int32_t answer;

		memcpy(ip[0], address, sizeof(ip[0]));
		fib_lookup6(fib, ip, &answer, 1);
		value = fib_value6(answer);
	}
	return value != 0 ? value : r->fallback[family];
}
