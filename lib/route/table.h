/* The route table's parts: check.c looks at changes, batch.c makes them, table.c owns and shows. */
#ifndef SPX_ROUTE_TABLE_H
#define SPX_ROUTE_TABLE_H

#include "lib/route/route_internal.h"

/* A prefix of the control side's list: a node of a tree (tsearch, red-black in glibc) in order of its key. */
struct prefix {
	struct {
		uint8_t family, address[SPX_ROUTE_ADDRESS_BYTES], length;
	} key;
	uint8_t origin;
	uint32_t value; /* with a reference; see route_internal.h */
};

struct spx_route_table {
	struct spx_route_options options; /* defaults filled in */
	spx_routes_publish publish;
	void *arg;

	pthread_mutex_t lock; /* over everything below */
	struct hops hops;
	struct spx_routes side[2];             /* what readers see: one in force, one idle */
	struct fib fib[2][SPX_ROUTE_FAMILIES]; /* their tables, made in pairs; a side gets its when idle */
	unsigned now;                          /* the side in force */
	void *tree;                            /* of struct prefix */
	size_t n[SPX_ROUTE_FAMILIES];
	uint64_t batches;
};

/* 0 or -EINVAL with what would be right. */
int route_check_prefix(const struct spx_route *r, struct spx_error *err);
int route_check(const struct spx_route *r, struct spx_error *err);

/* A checked path without what its kind does not look at, so that equal ones are equal bytes. */
void route_plain_path(const struct spx_path *p, struct spx_path *plain);

/* The list's prefix, or NULL. */
struct prefix *
table_find(const struct spx_route_table *t, uint8_t family, const uint8_t *address, unsigned length);

/* Makes the prefix with that value and origin, or changes it, or with value 0 takes it out. No references are
 * taken or given. 0 or -ENOMEM (only when it is new). */
int table_put(struct spx_route_table *t, const struct spx_route *r, uint32_t value, uint8_t origin);

#endif
