/* A batch of changes: all of it or nothing.
 *
 * Each change is tried in turn on the list of prefixes and on the idle side's tables. The first that fails
 * takes back those before it, in reverse: every step back leads to a state that was there, so it has room.
 * When all are in, the idle side is published, and after the grace period the other side gets the same steps,
 * which fit there because they fitted here: tables refuse by counting what is in them, and both hold the
 * same. References to what was replaced are given back when nothing can fail any more, before the grace
 * period that lets their ids be used again.
 */
#include <errno.h>
#include <stdlib.h>

#include <rte_debug.h>

#include "lib/route/prefix.h"
#include "lib/route/table.h"

/* A change that was made: values before and after, 0 = no route. */
struct step {
	uint32_t before, after;
	uint8_t origin_before;
};

static struct spx_routes *
idle_side(struct spx_route_table *t)
{
	return &t->side[!t->now];
}

static int
set_value(struct spx_routes *side, const struct spx_route *r, uint32_t value)
{
	if (r->length == 0) {
		side->fallback[r->family] = value;
		return 0;
	}
	return fib_set(&side->fib[r->family], r->family, r->address, r->length, value);
}

/* Both sides' tables of a family, at its first route. */
static int
need_tables(struct spx_route_table *t, const struct spx_route *r, struct spx_error *err)
{
	const unsigned idle = !t->now, f = r->family;
	struct fib *pair[2] = {&t->fib[0][f], &t->fib[1][f]};
	int rc = 0;

	if (r->length == 0 || t->side[idle].fib[f].v4 != NULL || t->side[idle].fib[f].v6 != NULL)
		return 0;
	rc = fib_create(f, &t->options, pair[0], err);
	if (rc == 0 && (rc = fib_create(f, &t->options, pair[1], err)) != 0)
		fib_free(pair[0]);
	if (rc == 0)
		t->side[idle].fib[f] = *pair[idle];
	return rc;
}

/* A gateway without port leaves by the port of the connected route to it. */
static int
find_port(struct spx_route_table *t, enum spx_route_family family, struct spx_path *p, struct spx_error *err)
{
	uint32_t value;
	char text[SPX_ROUTE_TEXT];

	if (p->kind != SPX_NEXT_HOP_KIND_gateway || p->port != SPX_NO_PORT)
		return 0;
	value = routes_value(idle_side(t), family, p->gateway);
	if (value < t->hops.next_hops && t->hops.hop[value].kind == SPX_NEXT_HOP_KIND_connected) {
		p->port = t->hops.hop[value].port;
		return 0;
	}
	return spx_error(err, -ENETUNREACH,
		"gateway %s is on no link: name its port (dev PORT), or give a port an address beside it "
		"first",
		spx_route_format(family, p->gateway, UINT8_MAX, text));
}

static int
take_value(struct spx_route_table *t, const struct spx_route *r, uint32_t *value, struct spx_error *err)
{
	struct spx_path path[SPX_ROUTE_PATHS_MAX];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < r->n_paths; i++) {
		route_plain_path(&r->path[i], &path[i]);
		rc = find_port(t, r->family, &path[i], err);
	}
	return rc == 0 ? hops_take(&t->hops, r->family, path, r->n_paths, value, err) : rc;
}

static int
no_room(const struct spx_route_table *t, const struct spx_route *r, struct spx_error *err)
{
	const bool v4 = r->family == SPX_ROUTE_IPV4;

	return spx_error(err, -ENOSPC,
		"the prefixes that have longer routes inside (%s) would be more than the %u that there is "
		"room for (tbl8_%d)",
		v4 ? "of 24 bits" : "of 24, 32 ... 120 bits", v4 ? t->options.tbl8_4 : t->options.tbl8_6,
		v4 ? 4 : 6);
}

/* Is the operation possible for what is there? */
static int
check_operation(const struct spx_route_table *t, const struct spx_route_change *c, const struct prefix *there,
	struct spx_error *err)
{
	const struct spx_route *r = &c->route;
	const uint32_t most = r->family == SPX_ROUTE_IPV4 ? t->options.routes4 : t->options.routes6;

	if (c->operation > SPX_ROUTE_DELETE)
		return spx_error(
			err, -EINVAL, "operation %u: add, replace and delete are 0 to 2", c->operation);
	if (c->operation == SPX_ROUTE_ADD && there != NULL)
		return spx_error(err, -EEXIST, "there is a route: replace it, or delete it first");
	if (c->operation == SPX_ROUTE_DELETE && there == NULL)
		return spx_error(
			err, -ENOENT, "there is no such route: give the prefix of one that is there");
	if (there == NULL && t->n[r->family] >= most)
		return spx_error(err, -ENOSPC, "there are %u routes, all that there is room for (routes%d)",
			most, r->family == SPX_ROUTE_IPV4 ? 4 : 6);
	return 0;
}

static int
try_change(struct spx_route_table *t, const struct spx_route_change *c, struct step *s, struct spx_error *err)
{
	const struct spx_route *r = &c->route;
	const bool gone = c->operation == SPX_ROUTE_DELETE;
	const struct prefix *there;
	int rc = gone ? route_check_prefix(r, err) : route_check(r, err);

	if (rc != 0)
		return rc;
	there = table_find(t, r->family, r->address, r->length);
	*s = (struct step){0};
	if (there != NULL)
		*s = (struct step){.before = there->value, .origin_before = there->origin};
	rc = check_operation(t, c, there, err);
	if (rc == 0)
		rc = need_tables(t, r, err);
	if (rc == 0 && !gone)
		rc = take_value(t, r, &s->after, err);
	if (rc != 0)
		return rc;
	if (set_value(idle_side(t), r, s->after) != 0) {
		rc = no_room(t, r, err);
	} else if (table_put(t, r, s->after, r->origin) != 0) {
		RTE_VERIFY(set_value(idle_side(t), r, 0) == 0);
		rc = spx_error(err, -ENOMEM, "no memory for one more route");
	}
	if (rc != 0)
		hops_put(&t->hops, s->after);
	return rc;
}

static void
take_back(struct spx_route_table *t, const struct spx_route *r, const struct step *s)
{
	RTE_VERIFY(set_value(idle_side(t), r, s->before) == 0);
	RTE_VERIFY(table_put(t, r, s->before, s->origin_before) == 0);
	if (s->after != 0)
		hops_put(&t->hops, s->after);
}

/* Readers turn to the idle side; when they have, the other one follows. */
static void
put_in_force(
	struct spx_route_table *t, const struct spx_route_change *change, const struct step *step, size_t n)
{
	struct spx_routes *other = &t->side[t->now];

	for (size_t i = 0; i < n; i++)
		if (step[i].before != 0)
			hops_put(&t->hops, step[i].before);
	t->now = !t->now;
	t->batches++;
	t->publish(t->arg, &t->side[t->now]);
	for (unsigned f = 0; f < SPX_ROUTE_FAMILIES; f++)
		other->fib[f] = t->fib[!t->now][f];
	for (size_t i = 0; i < n; i++)
		RTE_VERIFY(set_value(other, &change[i].route, step[i].after) == 0);
	t->hops.freed = false;
}

static int
make_changes(struct spx_route_table *t, const struct spx_route_change *change, struct step *step, size_t n,
	struct spx_error *err)
{
	char text[SPX_ROUTE_TEXT];
	size_t i;
	int rc = 0;

	for (i = 0; i < n; i++)
		if ((rc = try_change(t, &change[i], &step[i], err)) != 0)
			break;
	if (rc == 0) {
		put_in_force(t, change, step, n);
		return 0;
	}
	if (change[i].route.family < SPX_ROUTE_FAMILIES && change[i].route.length <= 128)
		spx_error_at(err, rc, "route %s",
			spx_route_format(change[i].route.family, change[i].route.address,
				change[i].route.length, text));
	while (i-- > 0)
		take_back(t, &change[i].route, &step[i]);
	if (t->hops.freed) { /* next hops of the batch, at which the slow path may stand: a grace period for
				them */
		t->publish(t->arg, &t->side[t->now]);
		t->hops.freed = false;
	}
	return rc;
}

int
spx_route_table_change(
	struct spx_route_table *t, const struct spx_route_change *change, size_t n, struct spx_error *err)
{
	struct step *step = malloc(RTE_MAX(n, 1u) * sizeof(*step));
	int rc;

	if (step == NULL)
		return spx_error(err, -ENOMEM, "no memory for a batch of %zu changes", n);
	pthread_mutex_lock(&t->lock);
	rc = n > 0 ? make_changes(t, change, step, n, err) : 0;
	pthread_mutex_unlock(&t->lock);
	free(step);
	return rc;
}
