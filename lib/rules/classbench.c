/* Reads ClassBench rule files (Taylor and Turner, "ClassBench: A Packet Classification Benchmark", 2007):
 *
 *   @sip/len dip/len lo : hi lo : hi proto/mask [flags/mask]
 *
 * one IPv4 rule a line, any white space between, CR LF accepted, blank lines and lines that start with #
 * skipped. Published sets have host bits set beyond their prefixes now and then; they are cleared without a
 * word, as the tools that made the sets do.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rules/rules_internal.h"

#define LINE_MAX_BYTES 1024u               /* a rule takes about 80 */
#define FILE_MAX_BYTES ((size_t)256 << 20) /* three million rules */

/* Where the reader stands. `at` never passes `end`, the end of the line. */
struct cursor {
	const char *name;
	const char *start, *at, *end;
	size_t line;
	struct spx_error *err;
};

static int
fail(const struct cursor *c, const char *what)
{
	spx_error(c->err, -EINVAL, "%s", what);
	return spx_error_at(c->err, -EINVAL, "%s:%zu:%zu", c->name, c->line, (size_t)(c->at - c->start) + 1);
}

static void
skip_space(struct cursor *c)
{
	while (c->at < c->end && isspace((unsigned char)*c->at))
		c->at++;
}

/* White space must stand here. */
static int
expect_space(struct cursor *c, const char *what)
{
	if (c->at == c->end || !isspace((unsigned char)*c->at))
		return fail(c, what);
	skip_space(c);
	return 0;
}

static int
expect(struct cursor *c, char wanted, const char *what)
{
	if (c->at == c->end || *c->at != wanted)
		return fail(c, what);
	c->at++;
	return 0;
}

/* 16 for what is no digit. */
static unsigned
digit_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return (unsigned)(ch - '0');
	if (ch >= 'a' && ch <= 'f')
		return (unsigned)(ch - 'a') + 10;
	if (ch >= 'A' && ch <= 'F')
		return (unsigned)(ch - 'A') + 10;
	return 16;
}

/* A number of the given base up to `max`, behind `skip` characters that were looked at already; on failure
 * `at` stays where it is. */
static int
read_digits(struct cursor *c, unsigned skip, unsigned base, uint32_t max, uint32_t *out, const char *what)
{
	const char *first = c->at + skip, *p = first;
	uint64_t value = 0;

	for (; p < c->end && digit_value(*p) < base; p++) {
		value = value * base + digit_value(*p);
		if (value > max)
			return fail(c, what);
	}
	if (p == first)
		return fail(c, what);
	c->at = p;
	*out = (uint32_t)value;
	return 0;
}

static int
read_decimal(struct cursor *c, uint32_t max, uint32_t *out, const char *what)
{
	return read_digits(c, 0, 10, max, out, what);
}

/* Decimal, or hexadecimal behind 0x. */
static int
read_number(struct cursor *c, uint32_t max, uint32_t *out, const char *what)
{
	if (c->end - c->at > 2 && c->at[0] == '0' && (c->at[1] == 'x' || c->at[1] == 'X'))
		return read_digits(c, 2, 16, max, out, what);
	return read_decimal(c, max, out, what);
}

/* a.b.c.d/length, host bits cleared. */
static int
read_prefix(struct cursor *c, uint8_t address[16], uint8_t *length)
{
	static const char four_numbers[] = "an address is four numbers of 0 to 255 with dots between";
	uint32_t ip = 0, value;
	int rc;

	for (unsigned i = 0; i < 4; i++) {
		if ((i > 0 && (rc = expect(c, '.', four_numbers)) != 0) ||
			(rc = read_decimal(c, 255, &value, four_numbers)) != 0)
			return rc;
		ip = ip << 8 | value;
	}
	if ((rc = expect(c, '/', "the prefix length is missing: an address is followed by / and 0 to 32")) !=
			0 ||
		(rc = read_decimal(c, 32, &value, "a prefix length is a number of 0 to 32")) != 0)
		return rc;
	*length = (uint8_t)value;
	ip &= (uint32_t)(UINT64_C(0xffffffff00000000) >> value);
	for (unsigned i = 0; i < 4; i++)
		address[i] = (uint8_t)(ip >> (24 - 8 * i));
	return 0;
}

/* low : high */
static int
read_range(struct cursor *c, uint16_t *low, uint16_t *high)
{
	static const char port[] = "a port is a number of 0 to 65535, a range is `low : high`";
	const char *first = c->at;
	uint32_t from, to;
	int rc;

	if ((rc = read_decimal(c, UINT16_MAX, &from, port)) != 0)
		return rc;
	skip_space(c);
	if ((rc = expect(c, ':', port)) != 0)
		return rc;
	skip_space(c);
	if ((rc = read_decimal(c, UINT16_MAX, &to, port)) != 0)
		return rc;
	if (from > to) {
		c->at = first;
		return fail(c, "the range is empty: the lower port comes first");
	}
	*low = (uint16_t)from;
	*high = (uint16_t)to;
	return 0;
}

/* value/mask */
static int
read_masked(struct cursor *c, uint32_t max, uint32_t *value, uint32_t *mask, const char *what)
{
	int rc;

	if ((rc = read_number(c, max, value, what)) != 0 || (rc = expect(c, '/', what)) != 0)
		return rc;
	return read_number(c, max, mask, what);
}

static int
read_proto(struct cursor *c, struct spx_match *m)
{
	static const char what[] = "a protocol is `number/mask`, 0x06/0xFF for one or 0x00/0x00 for any";
	const char *first = c->at;
	uint32_t proto, mask;
	int rc = read_masked(c, UINT8_MAX, &proto, &mask, what);

	if (rc != 0)
		return rc;
	if (mask != 0 && mask != UINT8_MAX) {
		c->at = first;
		return fail(c, "the protocol mask is neither 0xFF (this protocol) nor 0x00 (any)");
	}
	if (mask != 0) {
		m->proto = (uint8_t)proto;
		m->fields |= SPX_MATCH_PROTO;
	}
	return 0;
}

/* Nothing, or flags/mask. *asked: it is there and its mask is not zero. */
static int
read_flags(struct cursor *c, bool *asked)
{
	static const char what[] =
		"behind the protocol comes the end of the line or flags as `value/mask` of 16 bits";
	const bool space = c->at < c->end && isspace((unsigned char)*c->at);
	uint32_t value, mask = 0;
	int rc;

	*asked = false;
	skip_space(c);
	if (c->at == c->end)
		return 0;
	if (!space)
		return fail(c, what);
	if ((rc = read_masked(c, UINT16_MAX, &value, &mask, what)) != 0)
		return rc;
	skip_space(c);
	if (c->at != c->end)
		return fail(c, "the line goes on behind the flags: one rule a line");
	*asked = mask != 0;
	return 0;
}

static int
read_rule(struct cursor *c, struct spx_match *m, bool *flags)
{
	static const char space[] = "white space is missing between two columns";
	int rc;

	spx_match_any(m);
	m->family = SPX_FAMILY_IPV4;
	if ((rc = expect(c, '@', "a rule starts with @ and the source prefix (# starts a comment line)")) !=
		0)
		return rc;
	if ((rc = read_prefix(c, m->sip, &m->sip_length)) != 0 || (rc = expect_space(c, space)) != 0 ||
		(rc = read_prefix(c, m->dip, &m->dip_length)) != 0 || (rc = expect_space(c, space)) != 0 ||
		(rc = read_range(c, &m->sport_low, &m->sport_high)) != 0 ||
		(rc = expect_space(c, space)) != 0 ||
		(rc = read_range(c, &m->dport_low, &m->dport_high)) != 0 ||
		(rc = expect_space(c, space)) != 0 || (rc = read_proto(c, m)) != 0)
		return rc;
	return read_flags(c, flags);
}

/* One line, which may be blank or a comment, appended as the rule of the given order. */
static int
read_line(
	struct cursor *c, uint32_t order, uint32_t action, struct spx_rule_list *list, size_t *flags_ignored)
{
	struct spx_rule rule = {.order = order, .action = action};
	bool flags;
	int rc;

	if (c->end - c->start > (ptrdiff_t)LINE_MAX_BYTES) {
		c->at = c->start + LINE_MAX_BYTES;
		return fail(c, "the line is longer than 1024 bytes: one rule a line");
	}
	skip_space(c);
	if (c->at == c->end || *c->at == '#')
		return 0;
	if ((rc = read_rule(c, &rule.match, &flags)) != 0)
		return rc;
	if (order == 0 || order > SPX_RULE_ORDER_MAX) {
		c->at = c->start;
		return fail(c, "the order of this rule would be beyond 1 to 268435455: "
			       "start lower or give fewer rules");
	}
	if (spx_rule_list_add(list, &rule) != 0)
		return spx_error(c->err, -ENOMEM, "%s:%zu: no memory for one more rule", c->name, c->line);
	*flags_ignored += flags;
	return 0;
}

int
spx_rules_parse_classbench(const char *name, const char *text, size_t length, uint32_t first_order,
	uint32_t action, struct spx_rule_list *list, size_t *flags_ignored, struct spx_error *err)
{
	struct cursor c = {.name = name, .err = err};
	const size_t before = list->n;
	size_t flags = 0, at = 0;

	while (at < length) {
		const char *newline = memchr(text + at, '\n', length - at);
		int rc;

		c.line++;
		c.start = c.at = text + at;
		c.end = newline != NULL ? newline : text + length;
		rc = read_line(&c, first_order + (uint32_t)(list->n - before), action, list, &flags);
		if (rc != 0) {
			list->n = before;
			return rc;
		}
		at = (size_t)(c.end - text) + 1;
	}
	if (flags_ignored != NULL)
		*flags_ignored = flags;
	return 0;
}

/* The whole stream, in memory from malloc. 0 or a negative errno. */
static int
read_stream(FILE *file, char **out, size_t *length)
{
	size_t room = 0;

	*out = NULL;
	*length = 0;
	for (;;) {
		size_t got;

		if (*length == room) {
			char *more = realloc(*out, room = room == 0 ? 65536 : 2 * room);

			if (more == NULL)
				return -ENOMEM;
			*out = more;
		}
		got = fread(*out + *length, 1, room - *length, file);
		*length += got;
		if (*length > FILE_MAX_BYTES)
			return -EFBIG;
		if (got == 0)
			return ferror(file) ? -errno : 0;
	}
}

int
spx_rules_read_classbench(const char *path, uint32_t first_order, uint32_t action, struct spx_rule_list *list,
	size_t *flags_ignored, struct spx_error *err)
{
	FILE *file = fopen(path, "re");
	size_t length;
	char *text;
	int rc;

	if (file == NULL) {
		rc = -errno;
		return spx_error(
			err, rc, "%s: %s: give a readable ClassBench rule file", path, strerror(-rc));
	}
	rc = read_stream(file, &text, &length);
	fclose(file);
	if (rc == 0)
		rc = spx_rules_parse_classbench(
			path, text, length, first_order, action, list, flags_ignored, err);
	else
		spx_error(err, rc, "%s: %s: give a ClassBench rule file of at most 256 MiB", path,
			strerror(-rc));
	free(text);
	return rc;
}
