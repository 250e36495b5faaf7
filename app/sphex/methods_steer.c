/* Methods about what xdp ports take from the kernel: show.steer, steer.add, steer.delete; see rpc.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/sphex/appliance_internal.h"
#include "app/sphex/methods.h"

/* Lists of a "steer" object being filled. */
struct steer_lists {
	bool everything;
	json_t *udp_ports, *prefixes;
};

static void
list_target(const struct spx_xdp_target *target, void *arg)
{
	struct steer_lists *lists = arg;
	char text[INET6_ADDRSTRLEN], prefix[INET6_ADDRSTRLEN + 8];

	if (target->kind == SPX_XDP_EVERYTHING) {
		lists->everything = true;
	} else if (target->kind == SPX_XDP_UDP_PORT) {
		json_array_append_new(lists->udp_ports, json_integer(target->udp_port));
	} else {
		inet_ntop(target->kind == SPX_XDP_PREFIX4 ? AF_INET : AF_INET6, target->address, text,
			sizeof(text));
		snprintf(prefix, sizeof(prefix), "%s/%u", text, target->length);
		json_array_append_new(lists->prefixes, json_string(prefix));
	}
}

/* {"port": name, "steer": {...}} as a configuration has it. */
static int
describe(struct spx_port *port, json_t **result, struct spx_error *err)
{
	struct steer_lists lists = {.udp_ports = json_array(), .prefixes = json_array()};
	int rc = spx_xdp_steered(port, list_target, &lists, err);

	if (rc == 0)
		*result = json_pack("{s:s, s:{s:b, s:O, s:O}}", "port", port->options.name, "steer",
			"everything", lists.everything, "udp_ports", lists.udp_ports, "prefixes",
			lists.prefixes);
	json_decref(lists.udp_ports);
	json_decref(lists.prefixes);
	return rc;
}

/* ---- show.steer -------------------------------------------------------------------------------------- */

static const struct spx_keys show_keys = {.what = "show.steer"};

int
spx_method_show_steer(struct spx_call *call, json_t **result)
{
	int unused = 0, rc = spx_call_read(call, &show_keys, &unused);
	json_t *ports;

	if (rc != 0)
		return rc;
	ports = json_array();
	for (uint16_t i = 0; rc == 0 && i < call->app->n_ports; i++) {
		json_t *one = NULL;

		if (call->app->port[i].ops != &spx_xdp_ops)
			continue;
		rc = describe(&call->app->port[i], &one, call->err);
		if (rc == 0)
			json_array_append_new(ports, one);
	}
	if (rc == 0)
		*result = json_pack("{s:O}", "ports", ports);
	json_decref(ports);
	return rc;
}

/* ---- steer.add, steer.delete -------------------------------------------------------------------------- */

struct change {
	uint16_t port;
	struct spx_setup_port named; /* its targets */
};

static const struct spx_field change_fields[] = {
	{"port", spx_read_port_receiving, offsetof(struct change, port), .required = true},
	{"steer", spx_read_steer, offsetof(struct change, named), .required = true},
};

static int
change(struct spx_call *call, const struct spx_keys *keys, bool on, json_t **result)
{
	struct change c = {.port = SPX_NO_PORT};
	int rc = spx_call_read(call, keys, &c);

	for (uint32_t i = 0; rc == 0 && i < c.named.n_targets; i++)
		rc = spx_xdp_steer(&call->app->port[c.port], &c.named.target[i], on, call->err);
	if (rc == 0)
		rc = describe(&call->app->port[c.port], result, call->err);
	free(c.named.target);
	return rc;
}

static const struct spx_keys add_keys = SPX_KEYS("steer.add", change_fields);
static const struct spx_keys delete_keys = SPX_KEYS("steer.delete", change_fields);

int
spx_method_steer_add(struct spx_call *call, json_t **result)
{
	return change(call, &add_keys, true, result);
}

int
spx_method_steer_delete(struct spx_call *call, json_t **result)
{
	return change(call, &delete_keys, false, result);
}
