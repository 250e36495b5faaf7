/* Route files: what is read, and what is said about mistakes. No EAL. */
#include <errno.h>

#include <criterion/criterion.h>

#include "test/unit/route_fixture.h"

static int
parse(const char *text, struct spx_route_list *list, struct spx_error *err)
{
	return spx_route_parse("f", text, strlen(text), SPX_ROUTE_ADD, route_fixture_port, NULL, list, err);
}

/* As iproute2 would show it. */
static const char *
shown(const struct spx_route *r)
{
	static char text[2048];
	char address[SPX_ROUTE_TEXT];

	snprintf(text, sizeof(text), "%s", spx_route_format(r->family, r->address, r->length, address));
	for (unsigned i = 0; i < r->n_paths; i++) {
		const struct spx_path *p = &r->path[i];
		char *at = text + strlen(text);
		size_t room = sizeof(text) - strlen(text);

		if (p->kind == SPX_NEXT_HOP_KIND_gateway)
			snprintf(at, room, " via %s port %d weight %u",
				spx_route_format(r->family, p->gateway, UINT8_MAX, address),
				p->port == SPX_NO_PORT ? -1 : p->port, p->weight);
		else
			snprintf(at, room, " %s port %d weight %u", spx_next_hop_kind_name(p->kind),
				p->port == SPX_NO_PORT ? -1 : p->port, p->weight);
	}
	return text;
}

Test(route_parse, good)
{
	static const struct {
		const char *line, *shown;
	} good[] = {
		{"10.0.0.0/8 via 192.0.2.1", "10.0.0.0/8 via 192.0.2.1 port -1 weight 1"},
		{" \t10.0.0.0/8\tvia 192.0.2.1 dev p3 # with a word",
			"10.0.0.0/8 via 192.0.2.1 port 3 weight 1"},
		{"10.0.0.0/8 via 192.0.2.1 dev p3#close\r", "10.0.0.0/8 via 192.0.2.1 port 3 weight 1"},
		{"10.0.0.0/8 via 192.0.2.1 dev p3 weight 9", "10.0.0.0/8 via 192.0.2.1 port 3 weight 9"},
		{"10.1.2.3 dev p63", "10.1.2.3/32 connected port 63 weight 1"},
		{"2001:db8::/32 dev p0", "2001:db8::/32 connected port 0 weight 1"},
		{"2001:db8::1 blackhole", "2001:db8::1/128 blackhole port -1 weight 1"},
		{"0.0.0.0/0 unreachable", "0.0.0.0/0 unreachable port -1 weight 1"},
		{"10.0.0.0/8 prohibit", "10.0.0.0/8 prohibit port -1 weight 1"},
		{"default via 192.0.2.1", "0.0.0.0/0 via 192.0.2.1 port -1 weight 1"},
		{"default via fe80::1 dev p2", "::/0 via fe80::1 port 2 weight 1"},
		{"10.0.0.0/8 nexthop via 192.0.2.1 dev p1 weight 2 nexthop dev p2 nexthop via 192.0.2.3 "
		 "weight 256",
			"10.0.0.0/8 via 192.0.2.1 port 1 weight 2 connected port 2 weight 1 via 192.0.2.3 "
			"port -1 weight 256"},
		{"default nexthop via fe80::1 dev p1 nexthop dev p2",
			"::/0 via fe80::1 port 1 weight 1 connected port 2 weight 1"},
	};
	struct spx_route_list list = {0};
	struct spx_error err = {0};

	for (size_t i = 0; i < RTE_DIM(good); i++) {
		cr_assert_eq(parse(good[i].line, &list, &err), 0, "%s: %s", good[i].line, err.text);
		cr_assert_eq(list.n, i + 1);
		cr_expect_str_eq(shown(&list.change[i].route), good[i].shown);
	}
	cr_assert_eq(parse("\n# nothing\n   \n\r\n#", &list, &err), 0, "%s", err.text);
	cr_expect_eq(list.n, RTE_DIM(good));
	spx_route_list_free(&list);
}

Test(route_parse, mistakes)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"10.0.0/8 dev p1", "f:1:1: \"10.0.0\" is no address: write 192.0.2.1 or 2001:db8::1"},
		{"10.0.0.0/33 dev p1", "f:1:1: the prefix length \"33\" is not a number of 0 to 32"},
		{"::/129 dev p1", "f:1:1: the prefix length \"129\" is not a number of 0 to 128"},
		{"10.0.0.0/ dev p1", "f:1:1: the prefix length \"\""},
		{"10.0.0.0/8x dev p1", "f:1:1: the prefix length \"8x\""},
		{"\n10.1.0.0/8 dev p1", "f:2:1: \"10.1.0.0/8\" has bits beyond its prefix: write 10.0.0.0/8"},
		{"10.0.0.0/8", "f:1:11: the line ends: here stands `via GATEWAY"},
		{"10.0.0.0/8 # via", "f:1:12: the line ends: here stands `via GATEWAY"},
		{"10.0.0.0/8 dev", "f:1:15: the line ends: behind dev stands"},
		{"10.0.0.0/8 dev eth7", "f:1:16: \"eth7\": there is no port of that name"},
		{"10.0.0.0/8 dev p64", "f:1:16: \"p64\": there is no port"},
		{"10.0.0.0/8 via", "f:1:15: \"\" is no address"},
		{"10.0.0.0/8 via 2001:db8::1", "f:1:16: \"2001:db8::1\": the gateway must be of the family"},
		{"10.0.0.0/8 via 224.0.0.1", "f:1:16: \"224.0.0.1\": the gateway is no address of a single"},
		{"10.0.0.0/8 via 192.0.2.1/32", "f:1:16: \"192.0.2.1/32\" is no address"},
		{"10.0.0.0/8 dev p1 weight 0", "f:1:26: \"0\": a weight is a number of 1 to 256"},
		{"10.0.0.0/8 dev p1 weight 257", "f:1:26: \"257\": a weight"},
		{"10.0.0.0/8 dev p1 weight", "f:1:25: the line ends: a weight"},
		{"10.0.0.0/8 dev p1 via 192.0.2.1", "f:1:19: \"via\": the route has ended before"},
		{"10.0.0.0/8 blackhole dev p1", "f:1:22: \"dev\": the route has ended before"},
		{"10.0.0.0/8 nexthop", "f:1:19: the line ends: here stands"},
		{"10.0.0.0/8 nexthop blackhole", "f:1:20: \"blackhole\": here stands"},
		{"default dev p1", "f:1:9: \"dev\": `default` has no family"},
		{"default blackhole", "f:1:9: \"blackhole\": `default` has no family"},
		{"default nexthop via 192.0.2.1 nexthop via fe80::1",
			"f:1:43: \"fe80::1\": the gateway must be"},
		{"10.0.0.0/8 aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg",
			"f:1:12: a word of more"},
	};
	struct spx_route_list list = {0};
	struct spx_error err = {0};
	char long_line[1024] = "10.0.0.0/8";

	cr_assert_eq(parse("10.0.0.0/8 dev p1\n", &list, &err), 0);
	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		cr_expect_eq(parse(bad[i].text, &list, &err), -EINVAL, "%s", bad[i].text);
		cr_expect_eq(strncmp(err.text, bad[i].message, strlen(bad[i].message)), 0, "%s", err.text);
		cr_expect_eq(list.n, 1, "the list is as before");
	}
	for (unsigned i = 0; i < 17; i++)
		strcat(long_line, " nexthop dev p1");
	cr_expect_eq(parse(long_line, &list, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "at most 16 paths"), "%s", err.text);
	cr_expect_eq(spx_route_parse("f", "1.0.0.0/8\0 dev", 14, SPX_ROUTE_ADD, route_fixture_port, NULL,
			     &list, &err),
		-EINVAL);
	cr_expect_eq(list.n, 1);
	spx_route_list_free(&list);
}
