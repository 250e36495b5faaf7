/* What the tests of lib/route share: a table whose publisher remembers what is in force, and routes written
 * as text. */
#ifndef SPX_TEST_ROUTE_FIXTURE_H
#define SPX_TEST_ROUTE_FIXTURE_H

#include "lib/route/route.h"

struct route_fixture {
	struct spx_route_table *table;
	struct spx_routes *routes; /* in force; atomic, for readers */
	unsigned published;
	void (*grace)(void *arg); /* waits for readers; may be NULL */
	void *arg;
	struct spx_error err;
};

/* Small tables, for which -m 512 is enough. EAL runs. options may be NULL. */
void route_fixture_open(struct route_fixture *f, const struct spx_route_options *options);
void route_fixture_close(struct route_fixture *f);

/* Changes by the lines of a route file; ports are called p0...p63. Returns what the table said. */
int route_fixture_change(struct route_fixture *f, enum spx_route_operation operation, const char *lines);

/* The next hop's id for an address as text. */
uint32_t route_fixture_lookup(const struct route_fixture *f, const char *address, uint64_t hash, uint64_t up);
const struct spx_next_hop *route_fixture_hop(const struct route_fixture *f, const char *address);

int route_fixture_port(void *arg, const char *name, size_t length);

#endif
