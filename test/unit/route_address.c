/* Own addresses: the routes they bring, share and leave. No EAL. */
#include <errno.h>

#include <criterion/criterion.h>

#include "test/unit/route_fixture.h"

static struct spx_address
make(const char *text, uint16_t port)
{
	struct spx_address a = {.port = port};
	enum spx_route_family family;

	cr_assert_eq(spx_route_parse_address(text, &family, a.address, &a.length, NULL), 0);
	a.family = (uint8_t)family;
	return a;
}

/* "+10.0.0.0/24 connected p1" and the like, one a line. */
static const char *
said(const struct spx_route_change *change, size_t n)
{
	static char text[512];
	char prefix[SPX_ROUTE_TEXT];

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%c%s %s p%u\n",
			change[i].operation == SPX_ROUTE_DELETE ? '-' : '+',
			spx_route_format(change[i].route.family, change[i].route.address,
				change[i].route.length, prefix),
			spx_next_hop_kind_name(change[i].route.path[0].kind), change[i].route.path[0].port);
	return text;
}

static const char *
add(struct spx_address_list *list, const char *text, uint16_t port)
{
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
	struct spx_address a = make(text, port);
	size_t n;

	cr_assert_eq(spx_address_add(list, &a, 3, change, &n, NULL), 0, "%s", text);
	return said(change, n);
}

static const char *
drop(struct spx_address_list *list, const char *text)
{
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
	struct spx_address a = make(text, 0);
	size_t n;

	cr_assert_eq(spx_address_remove(list, &a, 3, change, &n, NULL), 0, "%s", text);
	return said(change, n);
}

Test(route_address, routes_come_and_go)
{
	struct spx_address_list list = {0}, copy;

	cr_expect_str_eq(add(&list, "10.0.0.1/24", 1),
		"+10.0.0.1/32 local p1\n+10.0.0.0/24 connected p1\n"
		"+10.0.0.0/32 broadcast p1\n+10.0.0.255/32 broadcast p1\n");
	cr_expect_str_eq(add(&list, "10.0.0.2/24", 2), "+10.0.0.2/32 local p2\n");
	cr_expect_str_eq(add(&list, "10.1.0.0/31", 3), "+10.1.0.0/32 local p3\n+10.1.0.0/31 connected p3\n");
	cr_expect_str_eq(add(&list, "10.2.0.7/32", 3), "+10.2.0.7/32 local p3\n");
	cr_expect_str_eq(
		add(&list, "2001:db8::1/64", 4), "+2001:db8::1/128 local p4\n+2001:db8::/64 connected p4\n");
	cr_expect_str_eq(drop(&list, "10.0.0.1/24"),
		"-10.0.0.1/32 local p1\n+10.0.0.0/24 connected p2\n"
		"+10.0.0.0/32 broadcast p2\n+10.0.0.255/32 broadcast p2\n");
	cr_assert_eq(spx_address_list_copy(&list, &copy), 0);
	cr_expect_str_eq(drop(&list, "10.0.0.2"), "-10.0.0.2/32 local p2\n-10.0.0.0/24 connected p2\n"
						  "-10.0.0.0/32 broadcast p2\n-10.0.0.255/32 broadcast p2\n");
	cr_expect(list.n == 3 && copy.n == 4);
	spx_address_list_free(&list);
	spx_address_list_free(&copy);
}

/* An own address that is another prefix's broadcast address stays one's own. */
Test(route_address, local_before_broadcast)
{
	struct spx_address_list list = {0};

	add(&list, "10.0.0.255/16", 1);
	cr_expect_str_eq(add(&list, "10.0.0.1/24", 2), "+10.0.0.1/32 local p2\n+10.0.0.0/24 connected p2\n");
	cr_expect_str_eq(drop(&list, "10.0.0.255"),
		"+10.0.0.255/32 broadcast p2\n-10.0.0.0/16 connected p1\n"
		"+10.0.0.0/32 broadcast p2\n-10.0.255.255/32 broadcast p1\n");
	spx_address_list_free(&list);
	add(&list, "10.0.0.1/24", 1);
	add(&list, "10.0.0.2/24", 2);
	cr_expect_str_eq(add(&list, "10.0.0.255/32", 3), "+10.0.0.255/32 local p3\n");
	cr_expect_str_eq(drop(&list, "10.0.0.1"), "-10.0.0.1/32 local p1\n+10.0.0.0/24 connected p2\n"
						  "+10.0.0.0/32 broadcast p2\n+10.0.0.255/32 local p3\n");
	spx_address_list_free(&list);
}

Test(route_address, mistakes)
{
	static const char *const bad[] = {"10.0.0.0/24", "10.0.0.255/24", "224.0.0.1/24", "0.0.0.0/8",
		"255.255.255.255/32", "ff02::1/64", "::/64", "10.0.0.1/0", "127.0.0.1/8", "169.254.0.1/16",
		"::1/128", "fe80::1/64"};
	struct spx_address_list list = {0};
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
	struct spx_address a;
	struct spx_error err;
	size_t n;

	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		a = make(bad[i], 1);
		cr_expect_eq(spx_address_add(&list, &a, 0, change, &n, &err), -EINVAL, "%s", bad[i]);
		cr_expect(n == 0 && list.n == 0);
	}
	a = make("10.0.0.1/24", 64);
	cr_expect_eq(spx_address_add(&list, &a, 0, change, &n, &err), -EINVAL);
	add(&list, "10.0.0.1/24", 1);
	a = make("10.0.0.1/8", 2);
	cr_expect_eq(spx_address_add(&list, &a, 0, change, &n, &err), -EEXIST);
	a = make("10.0.0.2/8", 2);
	cr_expect_eq(spx_address_remove(&list, &a, 0, change, &n, &err), -ENOENT);
	spx_address_list_free(&list);
}

Test(route_address, sources)
{
	struct spx_address_list list = {0};
	struct spx_address near = make("10.1.0.9", 0), far = make("8.8.8.8", 0);

	add(&list, "10.0.0.1/8", 1);
	add(&list, "10.1.0.1/16", 1);
	add(&list, "10.1.0.2/24", 2);
	cr_expect_eq(spx_address_source(&list, SPX_ROUTE_IPV4, 1, near.address)->length, 16);
	cr_expect_eq(spx_address_source(&list, SPX_ROUTE_IPV4, 2, near.address)->length, 24);
	cr_expect_eq(spx_address_source(&list, SPX_ROUTE_IPV4, 1, far.address)->length, 8);
	cr_expect_null(spx_address_source(&list, SPX_ROUTE_IPV6, 1, far.address));
	cr_expect_null(spx_address_source(&list, SPX_ROUTE_IPV4, 3, far.address));
	spx_address_list_free(&list);
}
