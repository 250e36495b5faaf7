/* What the files of lib/route share: the object that readers see (lookup.c), the longest-prefix tables in it
 * (fib.c), next hops and groups (next_hop.c), and the table that owns and edits them all (table.c).
 *
 * The answer of a longest-prefix table is a *value*: 0 = none, below `next_hops` the id of a next hop, from
 * there on a group. So a route with one path costs no look into the groups.
 */
#ifndef SPX_ROUTE_INTERNAL_H
#define SPX_ROUTE_INTERNAL_H

#include <pthread.h>

#include <rte_fib.h>
#include <rte_lpm6.h>

#include "lib/route/route.h"

#define BUCKETS 64u       /* of a group */
#define NO_OUT  UINT8_MAX /* in `out`: leaves by no port */

/* Several paths. Made while no reader can know of it, and constant from then on. */
struct group {
	uint16_t bucket[BUCKETS]; /* ids of next hops; each path as often as its weight says */
	uint64_t ports;           /* of all paths, as a set */
} __rte_cache_aligned;

/* How a group came to be: the control side. */
struct group_paths {
	uint32_t references; /* by routes; 0: free */
	uint32_t chain;      /* next one with the same hash, or next free one; UINT32_MAX ends */
	uint8_t n;
	uint16_t id[SPX_ROUTE_PATHS_MAX]; /* ascending */
	uint16_t weight[SPX_ROUTE_PATHS_MAX];
};

#define HOP_HEADS   4096u
#define GROUP_HEADS 4096u

/* Next hops and groups; both sides of a table point at the same. */
struct hops {
	/* read by workers */
	struct spx_next_hop *hop;
	uint8_t *out; /* per next hop: the port packets leave by, or NO_OUT: all that most lookups want */
	struct group *group;
	uint32_t next_hops, groups; /* room */
	uint32_t limit;             /* one more than the highest id ever used */

	/* read by the slow path too: heads of the chains of gateways, ids, 0 ends */
	uint32_t head[HOP_HEADS];

	/* control */
	uint32_t *references;      /* per next hop, by routes and groups; free: next free id */
	uint32_t free_hop, n_hops; /* free_hop: 0 = none but those from `limit` on */
	struct group_paths *paths;
	uint32_t group_head[GROUP_HEADS], free_group, group_limit, n_groups;
	bool freed;
};

int hops_create(uint32_t next_hops, uint32_t groups, int socket, struct hops *h);
void hops_free(struct hops *h);

/* A reference to the value of these paths, made when they are new. 0, -ENOSPC with what would be right. */
int hops_take(struct hops *h, enum spx_route_family family, const struct spx_path *path, unsigned n,
	uint32_t *value, struct spx_error *err);

/* Gives a reference back. What nobody refers to any more is free, and stays as it is until a hops_take uses
 * it again: a grace period must lie between, so `freed` is set, which the table clears after one. */
void hops_put(struct hops *h, uint32_t value);

/* The paths of a value: the way back. */
unsigned hops_paths(const struct hops *h, uint32_t value, struct spx_path path[SPX_ROUTE_PATHS_MAX]);

/* ---- longest prefix -------------------------------------------------------------------------------- */

/* One side's tables of one family; NULL: none yet. */
struct fib {
	struct rte_fib *v4;
	struct rte_lpm6 *v6;
};

struct spx_routes {
	struct fib fib[SPX_ROUTE_FAMILIES];
	uint32_t fallback[SPX_ROUTE_FAMILIES]; /* value of the default route, 0: none */
	const struct hops *hops;
};

int fib_create(enum spx_route_family family, const struct spx_route_options *o, struct fib *fib,
	struct spx_error *err);
void fib_free(struct fib *fib);
uint64_t fib_bytes(enum spx_route_family family, const struct spx_route_options *o); /* of one copy, about */

/* Sets the value of a prefix of at least one bit; 0: takes it out (it must be there). 0 or -ENOSPC. */
int fib_set(struct fib *fib, enum spx_route_family family, const uint8_t *address, unsigned length,
	uint32_t value);

/* Answers for n addresses, and the value in each: 0 when nothing but the default route can match, which is
 * not in the tables. */
void fib_lookup4(const struct fib *fib, uint32_t ip[], uint64_t answer[], unsigned n);
void fib_lookup6(const struct fib *fib, uint8_t ip[][16], int32_t answer[], unsigned n);

static inline uint32_t
fib_value4(uint64_t answer)
{
	return (uint32_t)(answer >> 1); /* fib.c says why */
}

static inline uint32_t
fib_value6(int32_t answer)
{
	return answer >= 0 ? (uint32_t)answer : 0;
}

/* The value for one address, default route included. */
uint32_t routes_value(const struct spx_routes *r, enum spx_route_family family, const uint8_t *address);

#endif
