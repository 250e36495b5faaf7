/* What a change of a route must look like before the table (table.c) tries it. */
#include <errno.h>

#include "lib/route/prefix.h"
#include "lib/route/table.h"

static bool
has_port(uint8_t kind)
{
	return kind == SPX_NEXT_HOP_KIND_local || kind == SPX_NEXT_HOP_KIND_connected ||
	       kind == SPX_NEXT_HOP_KIND_gateway || kind == SPX_NEXT_HOP_KIND_broadcast;
}

int
route_check_prefix(const struct spx_route *r, struct spx_error *err)
{
	uint8_t prefix[SPX_ROUTE_ADDRESS_BYTES];
	char text[SPX_ROUTE_TEXT];

	if (r->family >= SPX_ROUTE_FAMILIES)
		return spx_error(err, -EINVAL, "family %u is neither IPv4 (0) nor IPv6 (1)", r->family);
	if (r->length > family_bits(r->family))
		return spx_error(
			err, -EINVAL, "a prefix of %u bits: at most %u", r->length, family_bits(r->family));
	prefix_of(r->address, r->length, prefix);
	if (memcmp(prefix, r->address, sizeof(prefix)) == 0)
		return 0;
	return spx_error(err, -EINVAL, "the address has bits beyond its prefix: write %s",
		spx_route_format(r->family, prefix, r->length, text));
}

static int
check_path(const struct spx_route *r, const struct spx_path *p, struct spx_error *err)
{
	const bool several = r->n_paths > 1;

	if (p->kind < SPX_NEXT_HOP_KIND_local || p->kind >= SPX_NEXT_HOP_KIND_COUNT)
		return spx_error(err, -EINVAL, "next hop kind %u: local to prohibit are for routes", p->kind);
	if (several && p->kind != SPX_NEXT_HOP_KIND_gateway && p->kind != SPX_NEXT_HOP_KIND_connected)
		return spx_error(err, -EINVAL, "%s is one of several paths: only gateways and ports can be",
			spx_next_hop_kind_name(p->kind));
	if (several && (p->weight == 0 || p->weight > SPX_ROUTE_WEIGHT_MAX))
		return spx_error(
			err, -EINVAL, "weight %u: a weight is 1 to %u", p->weight, SPX_ROUTE_WEIGHT_MAX);
	if (p->kind == SPX_NEXT_HOP_KIND_gateway && !is_station(r->family, p->gateway))
		return spx_error(err, -EINVAL,
			"the gateway is no address of a single station: give the address of a router");
	if (p->kind == SPX_NEXT_HOP_KIND_gateway && p->port == SPX_NO_PORT)
		return 0;
	if (has_port(p->kind) && p->port >= SPX_PORTS_MAX)
		return spx_error(err, -EINVAL, "port %u: ports are 0 to %u", p->port, SPX_PORTS_MAX - 1);
	return 0;
}

int
route_check(const struct spx_route *r, struct spx_error *err)
{
	int rc = route_check_prefix(r, err);

	if (rc == 0 && (r->n_paths == 0 || r->n_paths > SPX_ROUTE_PATHS_MAX))
		rc = spx_error(
			err, -EINVAL, "%u paths: a route has 1 to %u", r->n_paths, SPX_ROUTE_PATHS_MAX);
	for (unsigned i = 0; rc == 0 && i < r->n_paths; i++)
		rc = check_path(r, &r->path[i], err);
	return rc;
}

void
route_plain_path(const struct spx_path *p, struct spx_path *plain)
{
	*plain = (struct spx_path){.kind = p->kind, .weight = p->weight, .port = SPX_NO_PORT};
	if (has_port(p->kind))
		plain->port = p->port;
	if (p->kind == SPX_NEXT_HOP_KIND_gateway)
		memcpy(plain->gateway, p->gateway, sizeof(plain->gateway));
}
