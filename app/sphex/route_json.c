/* Routes, addresses and neighbours as JSON; see setup_json.h. The inverse of setup_routes.c. */
#include <stdarg.h>
#include <stdio.h>

#include "app/sphex/setup_json.h"

#define LINE_MAX_BYTES 2048u /* 16 paths with everything said take 1,600 */

static void __attribute__((format(printf, 2, 3))) append(char line[LINE_MAX_BYTES], const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, LINE_MAX_BYTES - used, format, args);
	va_end(args);
}

/* In the words of a route file; what it has no words for (local, broadcast) begins with its kind. */
static void
append_path(char line[LINE_MAX_BYTES], const struct spx_setup *setup, const struct spx_route *route,
	const struct spx_path *path)
{
	char gateway[SPX_ROUTE_TEXT];

	if (path->kind == SPX_NEXT_HOP_KIND_gateway)
		append(line, " via %s", spx_route_format(route->family, path->gateway, UINT8_MAX, gateway));
	else if (path->kind != SPX_NEXT_HOP_KIND_connected)
		append(line, " %s", spx_next_hop_kind_name(path->kind));
	if (path->port != SPX_NO_PORT)
		append(line, " dev %s", setup->port[path->port].name);
	if (route->n_paths > 1)
		append(line, " weight %u", path->weight);
}

json_t *
spx_route_json(const struct spx_setup *setup, const struct spx_route *route)
{
	char line[LINE_MAX_BYTES], prefix[SPX_ROUTE_TEXT];

	snprintf(line, sizeof(line), "%s",
		spx_route_format(route->family, route->address, route->length, prefix));
	for (unsigned i = 0; i < route->n_paths; i++) {
		if (route->n_paths > 1)
			append(line, " nexthop");
		append_path(line, setup, route, &route->path[i]);
	}
	return json_string(line);
}

json_t *
spx_address_json(const struct spx_address *address)
{
	char text[SPX_ROUTE_TEXT];

	return json_string(spx_route_format(address->family, address->address, address->length, text));
}

json_t *
spx_mac_json(const uint8_t m[6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

json_t *
spx_neighbour_json(const struct spx_setup *setup, const struct spx_setup_neighbour *neighbour)
{
	char text[SPX_ROUTE_TEXT];

	return json_pack("{s:s, s:s, s:o}", "address",
		spx_route_format(neighbour->family, neighbour->address, UINT8_MAX, text), "port",
		setup->port[neighbour->port].name, "mac", spx_mac_json(neighbour->mac));
}
