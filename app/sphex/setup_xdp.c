/* "steer" of an xdp port: what is ours of the frames that come by its interface; see setup_reader.h. */
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup_reader.h"

#define INTERFACE_MAX 15u /* bytes of a name, as the kernel has it */

/* The kernel allows more, but a comma would end DPDK's argument. */
int
spx_read_interface(const struct spx_place *at, const struct spx_field *field, void *into)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@+-";
	const char *name = json_string_value(at->value);
	size_t length = name == NULL ? 0 : strlen(name);

	if (length < 1 || length > INTERFACE_MAX || strspn(name, good) != length)
		return spx_unexpected(at,
			"the name of an interface expected: 1 to %u letters, digits, '_', '.', '@', '+' or "
			"'-'",
			INTERFACE_MAX);
	return spx_read_text(at, field, into);
}

/* Appends one target, zeroed. NULL for want of memory. */
static struct spx_xdp_target *
add_target(struct spx_setup_port *port, enum spx_xdp_kind kind)
{
	struct spx_xdp_target *list =
		reallocarray(port->target, port->n_targets + 1u, sizeof(port->target[0]));

	if (list == NULL)
		return NULL;
	port->target = list;
	list[port->n_targets] = (struct spx_xdp_target){.kind = kind};
	return &list[port->n_targets++];
}

int
spx_steer_default(const struct spx_place *at, struct spx_setup_port *port)
{
	return add_target(port, SPX_XDP_EVERYTHING) == NULL ? spx_no_memory(at) : 0;
}

static int
read_everything(const struct spx_place *at, const struct spx_field *field, void *into)
{
	bool on = false;
	int rc = spx_read_bool(at, field, &on);

	return rc == 0 && on ? spx_steer_default(at, into) : rc;
}

static int
read_udp_port(const struct spx_place *at, const struct spx_field *field, struct spx_setup_port *port)
{
	struct spx_xdp_target *target = add_target(port, SPX_XDP_UDP_PORT);

	return target == NULL ? spx_no_memory(at) : spx_read_u16(at, field, &target->udp_port);
}

static int
read_prefix(const struct spx_place *at, const struct spx_field *field, struct spx_setup_port *port)
{
	struct spx_xdp_target *target = add_target(port, SPX_XDP_PREFIX4);
	bool ipv6 = false;
	int rc;

	(void)field;
	if (target == NULL)
		return spx_no_memory(at);
	rc = spx_read_prefix(at, target->address, &target->length, &ipv6);
	if (ipv6)
		target->kind = SPX_XDP_PREFIX6;
	return rc;
}

static int
read_each(const struct spx_place *at, const struct spx_field *field, struct spx_setup_port *port,
	int (*read)(const struct spx_place *, const struct spx_field *, struct spx_setup_port *))
{
	size_t n = json_array_size(at->value);
	int rc = 0;

	if (!json_is_array(at->value) || n > SPX_XDP_PREFIXES_MAX)
		return spx_unexpected(at, "an array of at most %u elements expected", SPX_XDP_PREFIXES_MAX);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct spx_place place = spx_place_index(at, i);

		rc = read(&place, field, port);
	}
	return rc;
}

static int
read_udp_ports(const struct spx_place *at, const struct spx_field *field, void *into)
{
	return read_each(at, field, into, read_udp_port);
}

static int
read_prefixes(const struct spx_place *at, const struct spx_field *field, void *into)
{
	return read_each(at, field, into, read_prefix);
}

static const struct spx_field steer_fields[] = {
	{"everything", read_everything},
	{"udp_ports", read_udp_ports, .min = 1, .max = UINT16_MAX},
	{"prefixes", read_prefixes},
};
static const struct spx_keys steer_keys = SPX_KEYS("\"steer\"", steer_fields);

/* What is named takes the place of the default; nothing named is nothing ours. */
int
spx_read_steer(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup_port *port = into;

	(void)field;
	port->n_targets = 0;
	return spx_read_object(at, &steer_keys, port);
}
