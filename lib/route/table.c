/* The control side's list of routes: creation, look-ups, listing. batch.c changes it. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "lib/route/prefix.h"
#include "lib/route/table.h"

static int
compare(const void *a, const void *b)
{
	const struct prefix *left = a, *right = b;

	return memcmp(&left->key, &right->key, sizeof(left->key));
}

struct prefix *
table_find(const struct spx_route_table *t, uint8_t family, const uint8_t *address, unsigned length)
{
	struct prefix wanted = {.key = {.family = family, .length = (uint8_t)length}};
	void *found;

	memcpy(wanted.key.address, address, sizeof(wanted.key.address));
	found = tfind(&wanted, &t->tree, compare);
	return found != NULL ? *(struct prefix **)found : NULL;
}

static int
insert(struct spx_route_table *t, const struct spx_route *r, uint32_t value, uint8_t origin)
{
	struct prefix *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	p->key.family = r->family;
	p->key.length = r->length;
	memcpy(p->key.address, r->address, sizeof(p->key.address));
	p->value = value;
	p->origin = origin;
	if (tsearch(p, &t->tree, compare) == NULL) {
		free(p);
		return -ENOMEM;
	}
	t->n[r->family]++;
	return 0;
}

int
table_put(struct spx_route_table *t, const struct spx_route *r, uint32_t value, uint8_t origin)
{
	struct prefix *there = table_find(t, r->family, r->address, r->length);

	if (there == NULL)
		return value != 0 ? insert(t, r, value, origin) : 0;
	if (value == 0) {
		tdelete(there, &t->tree, compare);
		free(there);
		t->n[r->family]--;
	} else {
		there->value = value;
		there->origin = origin;
	}
	return 0;
}

/* ---- showing --------------------------------------------------------------------------------------- */

static void
route_of(const struct spx_route_table *t, const struct prefix *p, struct spx_route *r)
{
	*r = (struct spx_route){.family = p->key.family, .length = p->key.length, .origin = p->origin};
	memcpy(r->address, p->key.address, sizeof(r->address));
	r->n_paths = (uint8_t)hops_paths(&t->hops, p->value, r->path);
}

struct walk {
	const struct spx_route_table *table;
	spx_route_visit visit;
	void *arg;
	bool ended;
};

static void
step(const void *node, VISIT which, void *arg)
{
	struct walk *w = arg;
	struct spx_route route;

	if (w->ended || (which != postorder && which != leaf))
		return;
	route_of(w->table, *(struct prefix *const *)node, &route);
	w->ended = !w->visit(w->arg, &route);
}

void
spx_route_table_walk(struct spx_route_table *t, spx_route_visit visit, void *arg)
{
	struct walk w = {.table = t, .visit = visit, .arg = arg};

	pthread_mutex_lock(&t->lock);
	twalk_r(t->tree, step, &w);
	pthread_mutex_unlock(&t->lock);
}

bool
spx_route_table_find(struct spx_route_table *t, enum spx_route_family family,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], struct spx_route *route)
{
	const struct prefix *found = NULL;
	uint8_t prefix[SPX_ROUTE_ADDRESS_BYTES];

	pthread_mutex_lock(&t->lock);
	for (int length = (int)family_bits(family); found == NULL && length >= 0; length--) {
		prefix_of(address, (unsigned)length, prefix);
		found = table_find(t, (uint8_t)family, prefix, (unsigned)length);
	}
	if (found != NULL)
		route_of(t, found, route);
	pthread_mutex_unlock(&t->lock);
	return found != NULL;
}

void
spx_route_table_stats(struct spx_route_table *t, struct spx_route_stats *stats)
{
	pthread_mutex_lock(&t->lock);
	*stats = (struct spx_route_stats){
		.next_hops = t->hops.n_hops, .groups = t->hops.n_groups, .batches = t->batches};
	for (unsigned f = 0; f < SPX_ROUTE_FAMILIES; f++) {
		stats->routes[f] = t->n[f];
		if (t->fib[0][f].v4 != NULL || t->fib[0][f].v6 != NULL)
			stats->bytes[f] = 2 * fib_bytes(f, &t->options);
	}
	pthread_mutex_unlock(&t->lock);
}

/* ---- creation -------------------------------------------------------------------------------------- */

static int
limit(const char *name, uint32_t *option, uint32_t otherwise, uint32_t least, uint32_t most,
	struct spx_error *err)
{
	if (*option == 0)
		*option = otherwise;
	if (*option >= least && *option <= most)
		return 0;
	return spx_error(
		err, -EINVAL, "%s is %u: give %u to %u, or 0 for %u", name, *option, least, most, otherwise);
}

static int
fill_options(struct spx_route_options *o, struct spx_error *err)
{
	const uint32_t most = 1u << 22;
	int rc;

	if ((rc = limit("routes4", &o->routes4, 131072, 1, most, err)) != 0 ||
		(rc = limit("routes6", &o->routes6, 65536, 1, most, err)) != 0 ||
		(rc = limit("tbl8_4", &o->tbl8_4, 4096, 1, most, err)) != 0 ||
		(rc = limit("tbl8_6", &o->tbl8_6, 32768, 1, 1u << 21, err)) != 0 ||
		(rc = limit("next_hops", &o->next_hops, 4096, 3, 65536, err)) != 0)
		return rc;
	o->tbl8_4 = RTE_ALIGN_CEIL(o->tbl8_4, 64u); /* as rte_fib does */
	return limit("groups", &o->groups, 4096, 1, 65536, err);
}

int
spx_route_table_create(const struct spx_route_options *options, spx_routes_publish publish, void *arg,
	struct spx_route_table **out, struct spx_error *err)
{
	struct spx_route_options o = {.socket = SOCKET_ID_ANY};
	struct spx_route_table *t;
	int rc;

	*out = NULL;
	if (options != NULL)
		o = *options;
	rc = fill_options(&o, err);
	if (rc != 0)
		return rc;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return spx_error(err, -ENOMEM, "no memory for a route table");
	t->options = o;
	t->publish = publish;
	t->arg = arg;
	pthread_mutex_init(&t->lock, NULL);
	for (unsigned i = 0; i < 2; i++)
		t->side[i].hops = &t->hops;
	rc = hops_create(o.next_hops, o.groups, o.socket, &t->hops);
	if (rc != 0) {
		spx_route_table_destroy(t);
		return spx_error(err, rc, "no memory for %u next hops and %u groups: give EAL more (-m)",
			o.next_hops, o.groups);
	}
	publish(arg, &t->side[t->now]);
	*out = t;
	return 0;
}

void
spx_route_table_destroy(struct spx_route_table *t)
{
	if (t == NULL)
		return;
	tdestroy(t->tree, free);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned f = 0; f < SPX_ROUTE_FAMILIES; f++)
			fib_free(&t->fib[i][f]);
	hops_free(&t->hops);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
