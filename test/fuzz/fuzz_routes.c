/* The reader of route files on arbitrary bytes: what it accepts is written down and read again as the same
 * prefix, what it refuses leaves the list as it was and says where. */
#include <stdlib.h>

#include "lib/route/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names of one letter, a to z. */
static int
port(void *arg, const char *name, size_t length)
{
	(void)arg;
	return length == 1 && name[0] >= 'a' && name[0] <= 'z' ? name[0] - 'a' : -1;
}

static void
check(const struct spx_route *r)
{
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES], length;
	enum spx_route_family family;
	char text[SPX_ROUTE_TEXT];

	spx_route_format((enum spx_route_family)r->family, r->address, r->length, text);
	if (spx_route_parse_address(text, &family, address, &length, NULL) != 0 || family != r->family ||
		length != r->length || memcmp(address, r->address, sizeof(address)) != 0)
		abort();
	if (r->n_paths == 0 || r->n_paths > SPX_ROUTE_PATHS_MAX)
		abort();
	for (unsigned i = 0; i < r->n_paths; i++)
		if (r->path[i].weight == 0 || r->path[i].weight > SPX_ROUTE_WEIGHT_MAX ||
			(r->path[i].port >= SPX_PORTS_MAX && r->path[i].port != SPX_NO_PORT))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spx_route_list list = {0};
	struct spx_error err = {0};
	int rc = spx_route_parse("fuzz", (const char *)data, size, SPX_ROUTE_ADD, port, NULL, &list, &err);

	if (rc != 0 && (list.n != 0 || strncmp(err.text, "fuzz:", 5) != 0))
		abort();
	for (size_t i = 0; i < list.n; i++)
		check(&list.change[i].route);
	spx_route_list_free(&list);
	return 0;
}
