/* Reads route files, in the words of iproute2 (ip-route(8)); route.h has the grammar. A line is cut into
 * words in place of a grammar of characters; what a word means depends on the word before. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/route/prefix.h"

#define WORD_MAX 64u

/* Where the reader stands: a line, and in it the word at hand, copied so that it ends. */
struct reader {
	const char *name;
	size_t line;
	const char *start, *at, *end; /* of the line; `at` is behind the word */
	const char *first;            /* of the word; `end` when there is none */
	char word[WORD_MAX];
	spx_route_port port;
	void *arg;
	struct spx_error *err;
};

/* Puts where the word is before the message that is there. */
static int
at_word(const struct reader *r, int rc)
{
	return spx_error_at(r->err, rc, "%s:%zu:%zu", r->name, r->line, (size_t)(r->first - r->start) + 1);
}

static int
fail(const struct reader *r, const char *what)
{
	if (r->word[0] != '\0')
		spx_error(r->err, -EINVAL, "\"%s\": %s", r->word, what);
	else
		spx_error(r->err, -EINVAL, "the line ends: %s", what);
	return at_word(r, -EINVAL);
}

/* Goes to the next word; an empty one at the end of the line or before a comment. */
static int
next_word(struct reader *r)
{
	size_t n;

	while (r->at < r->end && isspace((unsigned char)*r->at))
		r->at++;
	r->first = r->at;
	if (r->at < r->end && *r->at == '#')
		r->at = r->end;
	while (r->at < r->end && !isspace((unsigned char)*r->at) && *r->at != '#')
		r->at++;
	n = r->first < r->end && *r->first == '#' ? 0 : (size_t)(r->at - r->first);
	r->word[0] = '\0';
	if (n >= sizeof(r->word) || memchr(r->first, '\0', n) != NULL) {
		spx_error(r->err, -EINVAL, "a word of more than %u bytes or with a zero byte in it",
			WORD_MAX - 1);
		return at_word(r, -EINVAL);
	}
	memcpy(r->word, r->first, n);
	r->word[n] = '\0';
	return 0;
}

static bool
is(const struct reader *r, const char *word)
{
	return strcmp(r->word, word) == 0;
}

static int
read_gateway(struct reader *r, struct spx_route *route, struct spx_path *p, bool any_family)
{
	enum spx_route_family family;
	int rc = next_word(r);

	if (rc != 0)
		return rc;
	rc = spx_route_parse_address(r->word, &family, p->gateway, NULL, r->err);
	if (rc != 0)
		return at_word(r, rc);
	if (any_family)
		route->family = (uint8_t)family;
	if (family != route->family)
		return fail(r, "the gateway must be of the family of the prefix");
	if (!is_station(family, p->gateway))
		return fail(r, "the gateway is no address of a single station: give the address of a router");
	p->kind = SPX_NEXT_HOP_KIND_gateway;
	return next_word(r);
}

static int
read_port(struct reader *r, struct spx_path *p)
{
	int port, rc = next_word(r);

	if (rc != 0)
		return rc;
	if (r->word[0] == '\0')
		return fail(r, "behind dev stands the name of a port");
	port = r->port(r->arg, r->word, strlen(r->word));
	if (port < 0 || port >= (int)SPX_PORTS_MAX)
		return fail(r, "there is no port of that name: give one of the configuration");
	p->port = (uint16_t)port;
	return next_word(r);
}

static int
read_weight(struct reader *r, struct spx_path *p)
{
	unsigned value = 0;
	int rc = next_word(r);

	if (rc != 0)
		return rc;
	for (const char *c = r->word; *c != '\0' && value <= SPX_ROUTE_WEIGHT_MAX; c++)
		value = *c < '0' || *c > '9' ? SPX_ROUTE_WEIGHT_MAX + 1 : value * 10 + (unsigned)(*c - '0');
	if (value == 0 || value > SPX_ROUTE_WEIGHT_MAX)
		return fail(r, "a weight is a number of 1 to 256");
	p->weight = (uint16_t)value;
	return next_word(r);
}

/* via GATEWAY [dev PORT] [weight N], or dev PORT [weight N]; the word at hand is the first. */
static int
read_path(struct reader *r, struct spx_route *route, bool any_family)
{
	struct spx_path *p = &route->path[route->n_paths];
	int rc = 0;

	*p = (struct spx_path){.port = SPX_NO_PORT, .weight = 1, .kind = SPX_NEXT_HOP_KIND_connected};
	if (is(r, "via"))
		rc = read_gateway(r, route, p, any_family && route->n_paths == 0);
	else if (!is(r, "dev"))
		return fail(r, "here stands `via GATEWAY [dev PORT]` or `dev PORT`");
	else if (any_family && route->n_paths == 0)
		return fail(r, "`default` has no family without a gateway: write 0.0.0.0/0 or ::/0");
	if (rc == 0 && is(r, "dev"))
		rc = read_port(r, p);
	if (rc == 0 && is(r, "weight"))
		rc = read_weight(r, p);
	if (rc == 0)
		route->n_paths++;
	return rc;
}

static int
read_paths(struct reader *r, struct spx_route *route, bool any_family)
{
	int rc;

	if (!is(r, "nexthop"))
		return read_path(r, route, any_family);
	while (is(r, "nexthop")) {
		if (route->n_paths == SPX_ROUTE_PATHS_MAX)
			return fail(r, "a route has at most 16 paths");
		if ((rc = next_word(r)) != 0 || (rc = read_path(r, route, any_family)) != 0)
			return rc;
	}
	return 0;
}

/* blackhole, unreachable or prohibit: a route that ends here. */
static bool
is_end(const struct reader *r, uint8_t *kind)
{
	for (unsigned k = SPX_NEXT_HOP_KIND_blackhole; k <= SPX_NEXT_HOP_KIND_prohibit; k++)
		if (is(r, spx_next_hop_kind_name(k))) {
			*kind = (uint8_t)k;
			return true;
		}
	return false;
}

static int
read_prefix(struct reader *r, struct spx_route *route)
{
	enum spx_route_family family;
	uint8_t prefix[SPX_ROUTE_ADDRESS_BYTES];
	char text[SPX_ROUTE_TEXT];
	int rc = spx_route_parse_address(r->word, &family, route->address, &route->length, r->err);

	if (rc != 0)
		return at_word(r, rc);
	route->family = (uint8_t)family;
	prefix_of(route->address, route->length, prefix);
	if (memcmp(prefix, route->address, sizeof(prefix)) == 0)
		return 0;
	spx_error(r->err, -EINVAL, "\"%s\" has bits beyond its prefix: write %s", r->word,
		spx_route_format(family, prefix, route->length, text));
	return at_word(r, -EINVAL);
}

/* The word at hand is the line's first, and there is one. */
static int
read_route(struct reader *r, struct spx_route *route)
{
	const bool any_family = is(r, "default");
	uint8_t kind;
	int rc = any_family ? 0 : read_prefix(r, route);

	if (rc != 0 || (rc = next_word(r)) != 0)
		return rc;
	if (is_end(r, &kind)) {
		if (any_family)
			return fail(r, "`default` has no family without a gateway: write 0.0.0.0/0 or ::/0");
		route->path[route->n_paths++] =
			(struct spx_path){.kind = kind, .port = SPX_NO_PORT, .weight = 1};
		rc = next_word(r);
	} else {
		rc = read_paths(r, route, any_family);
	}
	if (rc == 0 && r->word[0] != '\0')
		rc = fail(r, "the route has ended before: one route a line");
	return rc;
}

static int
read_line(struct reader *r, enum spx_route_operation operation, struct spx_route_list *list)
{
	struct spx_route_change change = {.operation = (uint8_t)operation};
	int rc = next_word(r);

	if (rc != 0 || r->word[0] == '\0')
		return rc;
	rc = read_route(r, &change.route);
	if (rc == 0 && (rc = spx_route_list_add(list, &change)) != 0)
		spx_error(r->err, rc, "%s:%zu: no memory for one more route", r->name, r->line);
	return rc;
}

int
spx_route_parse(const char *name, const char *text, size_t length, enum spx_route_operation operation,
	spx_route_port port, void *arg, struct spx_route_list *list, struct spx_error *err)
{
	struct reader r = {.name = name, .port = port, .arg = arg, .err = err};
	const size_t before = list->n;
	size_t at = 0;

	while (at < length) {
		const char *newline = memchr(text + at, '\n', length - at);
		int rc;

		r.line++;
		r.start = r.at = text + at;
		r.end = newline != NULL ? newline : text + length;
		rc = read_line(&r, operation, list);
		if (rc != 0) {
			list->n = before;
			return rc;
		}
		at = (size_t)(r.end - text) + 1;
	}
	return 0;
}

int
spx_route_list_add(struct spx_route_list *list, const struct spx_route_change *change)
{
	if (list->n == list->room) {
		size_t room = list->room == 0 ? 64 : 2 * list->room;
		struct spx_route_change *more = realloc(list->change, room * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		list->change = more;
		list->room = room;
	}
	list->change[list->n++] = *change;
	return 0;
}

void
spx_route_list_free(struct spx_route_list *list)
{
	free(list->change);
	*list = (struct spx_route_list){0};
}
