/* The reference loop's routes: made, and looked up in bulk. */
#include <errno.h>
#include <string.h>

#include <rte_errno.h>

#include "perf/reference/reference.h"

#define TBL8 64 /* groups for prefixes longer than 24 bits, of which there are none */

int
reference_routes_create(
	struct reference_routes *r, const struct reference_route route[], uint32_t n, struct spx_error *err)
{
	struct rte_fib_conf conf = {.type = RTE_FIB_DIR24_8,
		.max_routes = (int)n,
		.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_2B, .num_tbl8 = TBL8}};

	r->fib = rte_fib_create("reference", SOCKET_ID_ANY, &conf);
	if (r->fib == NULL)
		return spx_error(err, -ENOMEM, "no rte_fib for %u routes: %s", n, rte_strerror(rte_errno));
	for (uint32_t i = 0; i < n; i++) {
		int rc = rte_fib_add(r->fib, route[i].ip, route[i].length, route[i].next_hop);

		if (rc < 0)
			return spx_error(err, rc, "rte_fib took %u of %u routes", i, n);
	}
	for (unsigned i = 0; i <= REFERENCE_NEXT_HOPS; i++) {
		r->hop[i].dst = reference_next_hop_mac(i);
		memset(&r->hop[i].src, PACKETS_ROUTER, sizeof(r->hop[i].src));
	}
	return 0;
}

void
reference_routes_free(struct reference_routes *r)
{
	rte_fib_free(r->fib);
}

void
reference_routes_lookup(
	const struct reference_routes *r, const struct reference_key key[], unsigned n, uint64_t next_hop[])
{
	uint32_t ip[REFERENCE_BURST];

	for (unsigned i = 0; i < n; i++) {
		memcpy(&ip[i], key[i].dip, sizeof(ip[i]));
		ip[i] = rte_be_to_cpu_32(ip[i]);
	}
	rte_fib_lookup_bulk(r->fib, ip, next_hop, (int)n);
}
