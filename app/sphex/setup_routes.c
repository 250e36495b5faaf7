/* "routes" and "neighbours" of the configuration, and "addresses" of its ports; see setup_reader.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup_reader.h"

/* The string, or NULL where there is none without control characters: messages repeat parts of it. */
static const char *
plain_text(const struct spx_place *at)
{
	const char *text = json_string_value(at->value);

	for (const char *c = text; c != NULL && *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			return NULL;
	return text;
}

/* ---- addresses --------------------------------------------------------------------------------------- */

static int
read_own_address(const struct spx_place *at, uint16_t port)
{
	struct spx_setup *setup = at->document->setup;
	struct spx_address_list list = {
		.address = setup->address, .n = setup->n_addresses, .room = setup->n_addresses};
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
	struct spx_address address;
	struct spx_error why;
	size_t n;
	int rc = spx_read_address(at, port, &address);

	if (rc != 0)
		return rc;
	rc = spx_address_add(&list, &address, 0, change, &n, &why);
	setup->address = list.address;
	setup->n_addresses = list.n;
	return rc == 0 ? 0 : rc == -ENOMEM ? spx_no_memory(at) : spx_unexpected(at, "%s", why.text);
}

int
spx_read_address(const struct spx_place *at, uint16_t port, struct spx_address *address)
{
	const char *text = plain_text(at);
	enum spx_route_family family;
	struct spx_error why;

	*address = (struct spx_address){.port = port};
	if (text == NULL)
		return spx_unexpected(at, "an address with the length of its prefix, such as "
					  "\"192.0.2.1/24\" or \"2001:db8::1/64\", expected");
	if (spx_route_parse_address(text, &family, address->address, &address->length, &why) != 0)
		return spx_mistake(at, "%s", why.text);
	address->family = (uint8_t)family;
	return 0;
}

int
spx_read_addresses(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const struct spx_setup_port *port = into;
	int rc = 0;

	(void)field;
	if (!json_is_array(at->value))
		return spx_unexpected(at, "an array of addresses such as \"192.0.2.1/24\" expected");
	for (size_t i = 0; rc == 0 && i < json_array_size(at->value); i++) {
		struct spx_place place = spx_place_index(at, i);

		rc = read_own_address(&place, (uint16_t)(port - at->document->setup->port));
	}
	return rc;
}

/* ---- routes ------------------------------------------------------------------------------------------ */

/* spx_route_port. */
static int
find_port(void *arg, const char *name, size_t length)
{
	const struct spx_setup *setup = arg;

	for (uint16_t p = 0; p < setup->n_ports; p++)
		if (strlen(setup->port[p].name) == length && memcmp(setup->port[p].name, name, length) == 0)
			return p;
	return -ENOENT;
}

/* The ports of these changes can send. */
static int
check_ports(const struct spx_setup *setup, const char *name, const struct spx_route_list *list, size_t first,
	struct spx_error *err)
{
	char prefix[SPX_ROUTE_TEXT];

	for (size_t i = first; i < list->n; i++) {
		const struct spx_route *route = &list->change[i].route;

		for (unsigned k = 0; k < route->n_paths; k++) {
			const uint16_t port = route->path[k].port;

			if (port != SPX_NO_PORT && !spx_port_sends(&setup->port[port]))
				return spx_error(err, -EINVAL,
					"%s: the route to %s leaves by port \"%s\", but a %s port never "
					"sends; another port expected",
					name,
					spx_route_format(
						route->family, route->address, route->length, prefix),
					setup->port[port].name, setup->port[port].driver);
		}
	}
	return 0;
}

int
spx_setup_parse_routes(const struct spx_setup *setup, const char *name, const char *text, size_t length,
	enum spx_route_operation operation, struct spx_route_list *list, struct spx_error *err)
{
	const size_t before = list->n;
	int rc = spx_route_parse(
		name, text, length, operation, find_port, (void *)(uintptr_t)setup, list, err);

	if (rc == 0 && (rc = check_ports(setup, name, list, before, err)) != 0)
		list->n = before;
	return rc;
}

int
spx_read_route(const struct spx_place *at, enum spx_route_operation operation, struct spx_route_list *list)
{
	const char *text = plain_text(at);
	const size_t before = list->n;
	struct spx_error why;
	int rc;

	if (text == NULL)
		return spx_unexpected(at, "one route expected, such as \"10.0.0.0/8 via 192.0.2.2\"");
	rc = spx_setup_parse_routes(
		at->document->setup, "route", text, json_string_length(at->value), operation, list, &why);
	if (rc != 0)
		return rc == -ENOMEM ? spx_no_memory(at) : spx_mistake(at, "%s", why.text);
	if (list->n != before + 1) {
		list->n = before;
		return spx_unexpected(at, "one route expected, such as \"10.0.0.0/8 via 192.0.2.2\"");
	}
	return 0;
}

static int
read_route_file(const struct spx_place *at)
{
	static const struct spx_field fields[] = {{"file", spx_read_file, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("an entry with a route file", fields);
	struct spx_place file = spx_place_key(at, "file");
	struct spx_setup *setup = at->document->setup;
	struct spx_error why;
	char *path = NULL, *text = NULL;
	size_t length;
	int rc = spx_read_object(at, &keys, &path);

	if (rc == 0 && at->document->folder == NULL)
		rc = spx_mistake(&file, "names a file, but this configuration is not one itself; routes in "
					"\"routes\" expected");
	if (rc == 0) {
		rc = spx_setup_load(path, &text, &length, &why);
		if (rc == 0)
			rc = spx_setup_parse_routes(
				setup, path, text, length, SPX_ROUTE_ADD, &setup->routes, &why);
		if (rc != 0)
			spx_mistake(&file, "%s", why.text);
	}
	free(text);
	free(path);
	return rc;
}

int
spx_read_routes(const struct spx_place *at, const struct spx_field *field, void *into)
{
	int rc = 0;

	(void)field;
	(void)into;
	if (!json_is_array(at->value))
		return spx_unexpected(at, "an array of routes such as \"10.0.0.0/8 via 192.0.2.2\" expected");
	for (size_t i = 0; rc == 0 && i < json_array_size(at->value); i++) {
		struct spx_place place = spx_place_index(at, i);

		rc = json_is_object(place.value)
			     ? read_route_file(&place)
			     : spx_read_route(&place, SPX_ROUTE_ADD, &at->document->setup->routes);
	}
	return rc;
}

/* ---- neighbours -------------------------------------------------------------------------------------- */

/* An own address has to be of a station too, so that check is asked. */
static bool
is_station(enum spx_route_family family, const uint8_t address[SPX_ROUTE_ADDRESS_BYTES])
{
	struct spx_address own = {.family = (uint8_t)family, .length = family == SPX_ROUTE_IPV4 ? 32 : 128};
	struct spx_address_list list = {0};
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
	size_t n;
	int rc;

	memcpy(own.address, address, sizeof(own.address));
	rc = spx_address_add(&list, &own, 0, change, &n, NULL);
	spx_address_list_free(&list);
	return rc != -EINVAL;
}

static int
read_neighbour_address(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup_neighbour *neighbour = into;
	const char *text = json_string_value(at->value);
	enum spx_route_family family;
	struct spx_error why;

	(void)field;
	if (text == NULL || spx_route_parse_address(text, &family, neighbour->address, NULL, &why) != 0 ||
		!is_station(family, neighbour->address))
		return spx_unexpected(at, "the address of one station, such as \"192.0.2.2\" or "
					  "\"2001:db8::2\", expected");
	neighbour->family = (uint8_t)family;
	return 0;
}

static int
read_neighbour_mac(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const char *text = json_string_value(at->value);
	uint8_t *mac = into;

	(void)field;
	if (text == NULL || !spx_parse_mac(text, mac))
		return spx_unexpected(at, "an Ethernet address such as \"02:00:00:00:00:01\" expected");
	if ((mac[0] & 1) != 0)
		return spx_unexpected(
			at, "a neighbour is no group: an address whose first byte is even expected");
	return 0;
}

#define AT(member) offsetof(struct spx_setup_neighbour, member)

static const struct spx_field neighbour_fields[] = {
	{"address", read_neighbour_address, .required = true},
	{"port", spx_read_port_sending, AT(port), .required = true},
	{"mac", read_neighbour_mac, AT(mac), .required = true},
};
const struct spx_keys spx_neighbour_keys = SPX_KEYS("a neighbour", neighbour_fields);
const struct spx_keys spx_neighbour_name_keys = {
	.what = "a neighbour's name", .field = neighbour_fields, .n = RTE_DIM(neighbour_fields) - 1};

int
spx_read_neighbours(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup *setup = at->document->setup;
	size_t n = json_array_size(at->value);
	int rc = 0;

	(void)field;
	(void)into;
	if (!json_is_array(at->value))
		return spx_unexpected(at, "an array of neighbours expected");
	if (n == 0)
		return 0;
	setup->neighbour = calloc(n, sizeof(*setup->neighbour));
	if (setup->neighbour == NULL)
		return spx_no_memory(at);
	for (setup->n_neighbours = 0; rc == 0 && setup->n_neighbours < n; setup->n_neighbours++) {
		struct spx_place place = spx_place_index(at, setup->n_neighbours);

		rc = spx_read_object(&place, &spx_neighbour_keys, &setup->neighbour[setup->n_neighbours]);
	}
	return rc;
}
