/* The setup itself: defaults, growth, end. Filled by setup_document.c and its neighbours from JSON, by
 * setup_quick.c from the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup.h"

#define ETHERNET_FRAME 1522u /* bytes without FCS: 14 header, 8 two VLAN tags, 1500 payload */
#define TRACE_FRAME    2048u

int
spx_setup_init(struct spx_setup *setup)
{
	struct spx_setup_action *none;

	*setup = (struct spx_setup){
		.hugepages = SPX_HUGEPAGES_AUTO,
		.memory_mb = 512,
		.mbufs = 16384,
		.workers = 1,
		.worker_idle = SPX_IDLE_SPIN,
		.burst = 32,
		.slowpath_cpu = -1,
		.exception_ring = 1024,
		.inject_ring = 1024,
		.flow_ring = 4096,
		.local_port = SPX_NO_PORT,
		.cache = {.mode = SPX_FLOW_MODE_layered,
			.ways = SPX_FLOW_WAYS_MAX,
			.p = 0.001,
			.ageing = SPX_FLOW_DOUBLE_BUFFERED,
			.idle_seconds = 60,
			.flood_guard = 1000000},
		.classifier = SPX_CLASSIFIER_ACL,
	};
	spx_setup_cache_size(&setup->cache, 65536);
	for (unsigned i = 0; i < SPX_WORKERS_MAX; i++)
		setup->worker_cpu[i] = -1;

	none = spx_setup_add_action(setup, "default");
	if (none == NULL)
		return -ENOMEM;
	none->action.verdict = SPX_VERDICT_DROP;
	none->action.flags = SPX_ACTION_NO_RULE;
	return 0;
}

void
spx_setup_free(struct spx_setup *setup)
{
	for (unsigned i = 0; i < setup->n_ports; i++) {
		free(setup->port[i].device);
		free(setup->port[i].file);
		free(setup->port[i].interface);
		free(setup->port[i].target);
	}
	free(setup->port);
	free(setup->action);
	free(setup->report);
	free(setup->address);
	free(setup->neighbour);
	spx_route_list_free(&setup->routes);
	free(setup->control.socket);
	free(setup->control.operators);
	spx_rule_list_free(&setup->rules);
	*setup = (struct spx_setup){0};
}

/* Room for one element more than n in an array that grows by doubling, so it is full when n is a power of two
 * (or 0). NULL for want of memory; the old array stays valid. */
static void *
grow(void *array, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return array;
	return reallocarray(array, n == 0 ? 1 : 2 * n, size);
}

struct spx_setup_port *
spx_setup_add_port(struct spx_setup *setup, const char *name, const char *driver)
{
	struct spx_setup_port *ports = grow(setup->port, setup->n_ports, sizeof(*ports));
	struct spx_setup_port *port;
	bool device = strcmp(driver, "ethdev") == 0 || strcmp(driver, "xdp") == 0;

	if (ports == NULL)
		return NULL;
	setup->port = ports;
	port = &ports[setup->n_ports++];
	*port = (struct spx_setup_port){
		.max_frame = device ? ETHERNET_FRAME : TRACE_FRAME,
		.verify_checksum = device,
		.promiscuous = device,
		.passes = 1,
		.mtu = 1500,
		.queue.options = {.limit_packets = 1000, .limit_bytes = 1000000},
	};
	snprintf(port->name, sizeof(port->name), "%s", name);
	snprintf(port->driver, sizeof(port->driver), "%s", driver);
	return port;
}

struct spx_setup_action *
spx_setup_add_action(struct spx_setup *setup, const char *name)
{
	struct spx_setup_action *actions = grow(setup->action, setup->n_actions, sizeof(*actions));
	struct spx_setup_action *action;

	if (actions == NULL)
		return NULL;
	setup->action = actions;
	action = &actions[setup->n_actions++];
	*action = (struct spx_setup_action){.action = {.port = SPX_NO_PORT, .mirror = SPX_NO_PORT}};
	snprintf(action->name, sizeof(action->name), "%s", name);
	return action;
}

uint32_t
spx_setup_find_action(const struct spx_setup *setup, const char *name)
{
	for (uint32_t i = 1; i < setup->n_actions; i++)
		if (strcmp(setup->action[i].name, name) == 0)
			return i;
	return SPX_ACTION_NONE;
}

uint16_t
spx_setup_find_port(const struct spx_setup *setup, const char *name)
{
	for (uint16_t i = 0; i < setup->n_ports; i++)
		if (strcmp(setup->port[i].name, name) == 0)
			return i;
	return SPX_NO_PORT;
}
