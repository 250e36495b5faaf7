/* Configurations and their publication: one immutable object per generation, made of what is in force.
 *
 * Rules, routes and addresses change at different times and by different threads; each change makes a new
 * object of the latest of all, under a lock, swaps the pointer, and frees the object before when no reader is
 * left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/appliance_internal.h"

/* 1, 2, ...: 0 is left out. */
static uint32_t
next_generation(uint32_t before, bool changed)
{
	uint32_t next = before + changed;

	return next == 0 ? 1 : next;
}

static void
fill_ports(const struct spx_appliance *app, struct spx_config *config)
{
	for (uint16_t p = 0; p < app->n_ports; p++) {
		const struct spx_setup_port *wanted = &app->setup->port[p];
		struct spx_config_port *port = &config->port[p];

		memcpy(port->mac, app->port[p].mac, sizeof(port->mac));
		port->mtu = RTE_MIN(wanted->mtu, app->port[p].mtu);
		port->reverse_path = (uint8_t)wanted->reverse_path;
		for (size_t a = 0; a < config->addresses.n; a++)
			port->addressed |= config->addresses.address[a].port == p;
	}
}

/* A few hundred kilobytes at most: without memory for them there is nothing sensible to go on with. */
static struct spx_config *
new_config(const struct spx_appliance *app)
{
	uint32_t n = app->setup->n_actions;
	struct spx_config *config = calloc(1, sizeof(*config) + n * sizeof(config->action[0]));

	if (config == NULL || spx_address_list_copy(&app->latest.addresses, &config->addresses) != 0)
		abort();
	config->rules = app->latest.rules;
	config->has_rules = spx_rules_count(config->rules) > 0;
	config->routes = app->latest.routes;
	config->next_hop = config->routes == NULL ? NULL : spx_route_next_hops(config->routes);
	fill_ports(app, config);
	config->n_actions = n;
	for (uint32_t i = 0; i < n; i++)
		config->action[i] = app->setup->action[i].action;
	return config;
}

/* Puts the latest of everything in force; returns when nobody reads what was before. Under the lock. */
static void
publish(struct spx_appliance *app, bool rules_changed, bool routes_changed)
{
	struct spx_config *old = app->config, *new = new_config(app);

	new->generation = old == NULL ? 1 : old->generation + 1;
	new->rules_generation = old == NULL ? 1 : next_generation(old->rules_generation, rules_changed);
	new->routes_generation = old == NULL ? 1 : next_generation(old->routes_generation, routes_changed);
	atomic_store_explicit(&app->config, new, memory_order_release);
	atomic_store(&app->generation, new->generation);
	rte_rcu_qsbr_synchronize(app->qsbr, RTE_QSBR_THRID_INVALID);
	spx_config_free(old);
}

void
spx_config_free(struct spx_config *config)
{
	if (config == NULL)
		return;
	spx_address_list_free(&config->addresses);
	free(config);
}

/* spx_rules_publish. Flow caches go on with what they hold when the answers are the same. */
static void
publish_rules(void *arg, struct spx_rules *rules, bool answers_changed)
{
	struct spx_appliance *app = arg;

	pthread_mutex_lock(&app->latest.lock);
	app->latest.rules = rules;
	publish(app, answers_changed, false);
	pthread_mutex_unlock(&app->latest.lock);
}

/* spx_routes_publish. */
static void
publish_routes(void *arg, struct spx_routes *routes)
{
	struct spx_appliance *app = arg;

	pthread_mutex_lock(&app->latest.lock);
	app->latest.routes = routes;
	publish(app, false, true);
	pthread_mutex_unlock(&app->latest.lock);
}

int
spx_appliance_create_rules(struct spx_appliance *app, struct spx_error *err)
{
	const struct spx_setup *setup = app->setup;
	size_t size = rte_rcu_qsbr_get_memsize(SPX_WATCH_THREADS);
	int r;

	app->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (app->qsbr == NULL || rte_rcu_qsbr_init(app->qsbr, SPX_WATCH_THREADS) != 0)
		return spx_error(err, -ENOMEM, "no memory");
	r = spx_rule_table_create(setup->classifier, publish_rules, app, &app->rules, err);
	if (r == 0 && setup->rules.n > 0)
		r = spx_rule_table_set(app->rules, setup->rules.rule, setup->rules.n, err);
	return r;
}

/* ---- routing ---------------------------------------------------------------------------------------------
 */

/* What an address wants to be its own, and a static route that stands there. */
struct claim {
	const struct spx_route_change *change;
	size_t n;
	struct spx_error *err;
	int r;
};

static bool
find_static(void *arg, const struct spx_route *there)
{
	struct claim *claim = arg;
	char text[SPX_ROUTE_TEXT];

	for (size_t i = 0; there->origin == SPX_ORIGIN_STATIC && i < claim->n; i++) {
		const struct spx_route *wanted = &claim->change[i].route;

		if (wanted->family == there->family && wanted->length == there->length &&
			memcmp(wanted->address, there->address, sizeof(there->address)) == 0)
			claim->r = spx_error(claim->err, -EEXIST,
				"there is a route to %s, which would be the address's own: delete it first",
				spx_route_format(there->family, there->address, there->length, text));
	}
	return claim->r == 0;
}

/* Puts an address on a port, with the routes that belong to it. Under the address lock. */
static int
add_address(struct spx_appliance *app, const struct spx_address *address, struct spx_error *err)
{
	struct spx_address_list list;
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
	struct claim claim = {.change = change, .err = err};
	int r = spx_address_list_copy(&app->latest.addresses, &list);

	if (r == 0)
		r = spx_address_add(&list, address, SPX_ORIGIN_ADDRESS, change, &claim.n, err);
	if (r == 0) {
		spx_route_table_walk(app->routes, find_static, &claim);
		r = claim.r;
	}
	if (r < 0) {
		spx_address_list_free(&list);
		return r;
	}
	pthread_mutex_lock(&app->latest.lock);
	RTE_SWAP(list, app->latest.addresses);
	pthread_mutex_unlock(&app->latest.lock);
	r = spx_route_table_change(app->routes, change, claim.n, err); /* publishes both */
	if (r < 0) {
		pthread_mutex_lock(&app->latest.lock);
		RTE_SWAP(list, app->latest.addresses);
		publish(app, false, false); /* it may be in force: by a change of the rules, or taken back */
		pthread_mutex_unlock(&app->latest.lock);
	}
	spx_address_list_free(&list);
	return r;
}

int
spx_appliance_add_address(struct spx_appliance *app, const struct spx_address *address, struct spx_error *err)
{
	int r;

	pthread_mutex_lock(&app->address_lock);
	r = add_address(app, address, err);
	pthread_mutex_unlock(&app->address_lock);
	return r;
}

int
spx_appliance_remove_address(
	struct spx_appliance *app, const struct spx_address *address, struct spx_error *err)
{
	struct spx_address_list list;
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
	size_t n = 0;
	int r;

	pthread_mutex_lock(&app->address_lock);
	r = spx_address_list_copy(&app->latest.addresses, &list);
	if (r == 0)
		r = spx_address_remove(&list, address, SPX_ORIGIN_ADDRESS, change, &n, err);
	if (r == 0)
		r = spx_route_table_change(app->routes, change, n, err);
	if (r == 0) {
		pthread_mutex_lock(&app->latest.lock);
		RTE_SWAP(list, app->latest.addresses);
		publish(app, false, false);
		pthread_mutex_unlock(&app->latest.lock);
	}
	spx_address_list_free(&list);
	pthread_mutex_unlock(&app->address_lock);
	return r;
}

/* Routing is there when the setup has anything of it: an action that routes, an address, a route. */
static bool
routes_anything(const struct spx_setup *setup)
{
	bool any = setup->routes.n > 0 || setup->n_addresses > 0;

	for (uint32_t i = 0; i < setup->n_actions; i++)
		any = any || setup->action[i].action.verdict == SPX_VERDICT_ROUTE;
	return any;
}

int
spx_appliance_create_routes(struct spx_appliance *app, struct spx_error *err)
{
	const struct spx_setup *setup = app->setup;
	const struct spx_neighbour_options options = {.seed = app->seed, .socket = SOCKET_ID_ANY};
	int r;

	if (!routes_anything(setup))
		return 0;
	r = spx_neighbours_create(&options, &app->neighbours, err);
	if (r == 0)
		r = spx_route_table_create(NULL, publish_routes, app, &app->routes, err);
	for (size_t i = 0; r == 0 && i < setup->n_addresses; i++)
		r = spx_appliance_add_address(app, &setup->address[i], err);
	if (r == 0 && setup->routes.n > 0)
		r = spx_route_table_change(app->routes, setup->routes.change, setup->routes.n, err);
	return r;
}

int
spx_appliance_set_neighbours(struct spx_appliance *app, struct spx_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < app->setup->n_neighbours; i++)
		r = spx_slowpath_set_neighbour(&app->slowpath, &app->setup->neighbour[i], true, err);
	return r;
}
