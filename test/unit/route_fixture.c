/* route_fixture.h says what this is. */
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "test/unit/route_fixture.h"

static void
publish(void *arg, struct spx_routes *routes)
{
	struct route_fixture *f = arg;

	__atomic_store_n(&f->routes, routes, __ATOMIC_SEQ_CST);
	f->published++;
	if (f->grace != NULL)
		f->grace(f->arg);
}

void
route_fixture_open(struct route_fixture *f, const struct spx_route_options *options)
{
	struct spx_route_options small = {.routes4 = 4096,
		.routes6 = 4096,
		.tbl8_4 = 256,
		.tbl8_6 = 16384,
		.next_hops = 512,
		.groups = 128,
		.socket = -1};

	cr_assert_eq(
		spx_route_table_create(options != NULL ? options : &small, publish, f, &f->table, &f->err), 0,
		"%s", f->err.text);
}

void
route_fixture_close(struct route_fixture *f)
{
	spx_route_table_destroy(f->table);
	f->table = NULL;
}

int
route_fixture_port(void *arg, const char *name, size_t length)
{
	char number[4] = "";

	(void)arg;
	if (length < 2 || length > 4 || name[0] != 'p')
		return -1;
	memcpy(number, name + 1, length - 1);
	return atoi(number);
}

int
route_fixture_change(struct route_fixture *f, enum spx_route_operation operation, const char *lines)
{
	struct spx_route_list list = {0};
	int rc = spx_route_parse(
		"test", lines, strlen(lines), operation, route_fixture_port, NULL, &list, &f->err);

	cr_assert_eq(rc, 0, "%s", f->err.text);
	rc = spx_route_table_change(f->table, list.change, list.n, &f->err);
	spx_route_list_free(&list);
	return rc;
}

uint32_t
route_fixture_lookup(const struct route_fixture *f, const char *address, uint64_t hash, uint64_t up)
{
	enum spx_route_family family;
	uint8_t bytes[SPX_ROUTE_ADDRESS_BYTES];
	struct spx_key4 key4 = {0};
	struct spx_key6 key6 = {0};
	uint32_t id = 12345;

	cr_assert_eq(spx_route_parse_address(address, &family, bytes, NULL, NULL), 0);
	memcpy(key4.dip, bytes, sizeof(key4.dip));
	memcpy(key6.dip, bytes, sizeof(key6.dip));
	if (family == SPX_ROUTE_IPV4)
		spx_route_lookup4(f->routes, &key4, &hash, 1, up, &id);
	else
		spx_route_lookup6(f->routes, &key6, &hash, 1, up, &id);
	return id;
}

const struct spx_next_hop *
route_fixture_hop(const struct route_fixture *f, const char *address)
{
	return &spx_route_next_hops(f->routes)[route_fixture_lookup(f, address, 0, UINT64_MAX)];
}
