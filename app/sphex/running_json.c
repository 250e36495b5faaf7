/* The configuration of a running appliance as it has become; see setup_json.h. */
#include <stdlib.h>
#include <string.h>

#include "app/sphex/appliance.h"
#include "app/sphex/setup_json.h"

/* spx_route_visit. */
static bool
add_static(void *arg, const struct spx_route *route)
{
	const struct spx_route_change change = {.operation = SPX_ROUTE_ADD, .route = *route};

	return route->origin != SPX_ORIGIN_STATIC || spx_route_list_add(arg, &change) == 0;
}

/* A copy, freed by the caller. NULL for want of memory. */
static struct spx_setup_neighbour *
permanent_neighbours(const struct spx_neighbours *table, size_t *n)
{
	const uint32_t capacity = spx_neighbour_capacity(table);
	struct spx_setup_neighbour *list = calloc(capacity, sizeof(*list));
	struct spx_neighbour now;

	*n = 0;
	for (uint32_t i = 0; list != NULL && i < capacity; i++) {
		struct spx_setup_neighbour *next = &list[*n];

		if (!spx_neighbour_read(table, i, &now) || now.state != SPX_NEIGHBOUR_permanent)
			continue;
		next->family = now.family;
		next->port = now.port;
		memcpy(next->address, now.address, sizeof(next->address));
		memcpy(next->mac, now.mac, sizeof(next->mac));
		(*n)++;
	}
	return list;
}

/* Fills what routing has in place of the setup's. False for want of memory. */
static bool
take_routing(struct spx_appliance *app, struct spx_setup *now, struct spx_address_list *addresses)
{
	bool copied;

	now->routes = (struct spx_route_list){0};
	spx_route_table_walk(app->routes, add_static, &now->routes);
	pthread_mutex_lock(&app->latest.lock);
	copied = spx_address_list_copy(&app->latest.addresses, addresses) == 0;
	pthread_mutex_unlock(&app->latest.lock);
	now->address = addresses->address;
	now->n_addresses = addresses->n;
	now->neighbour = permanent_neighbours(app->neighbours, &now->n_neighbours);
	return copied && now->neighbour != NULL;
}

json_t *
spx_running_json(struct spx_appliance *app, const struct spx_rule *rule, size_t n)
{
	const bool routing = app->routes != NULL;
	struct spx_setup now = *app->setup;
	struct spx_address_list addresses = {0};
	json_t *o = NULL;

	now.port = calloc(app->n_ports, sizeof(*now.port));
	if (now.port == NULL)
		return NULL;
	memcpy(now.port, app->setup->port, app->n_ports * sizeof(*now.port));
	for (uint16_t p = 0; p < app->n_ports; p++)
		if (app->queue[p] != NULL)
			spx_queue_options(app->queue[p], &now.port[p].queue.options);
	if (!routing || take_routing(app, &now, &addresses))
		o = spx_setup_json(&now, rule, n);
	if (routing) {
		spx_route_list_free(&now.routes);
		spx_address_list_free(&addresses);
		free(now.neighbour);
	}
	free(now.port);
	return o;
}
