/* Generated rule sets and headers; see rule_sets.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/common/rule_sets.h"

struct prefix {
	uint8_t address[16];
	uint8_t length;
};

static uint32_t
below(uint64_t *random, uint32_t n)
{
	return (uint32_t)(spx_random(random) % n);
}

/* ---- prefixes -------------------------------------------------------------------------------------- */

/* Lengths that occur in the wild: allocations, sites, subnets, hosts. */
static const uint8_t lengths4[] = {8, 12, 16, 20, 22, 24, 27, 29, 32};
static const uint8_t lengths6[] = {20, 29, 32, 40, 44, 48, 52, 56, 60, 64, 96, 112, 128};

static void
set_bit(uint8_t *address, unsigned bit, bool value)
{
	uint8_t mask = (uint8_t)(0x80u >> (bit % 8));

	address[bit / 8] = (uint8_t)((address[bit / 8] & ~mask) | (value ? mask : 0));
}

/* Extends `parent` by the next length or one of the two behind it. Every fourth is random, the others a small
 * number, as subnets and hosts are numbered. */
static struct prefix
extend(const struct prefix *parent, const uint8_t *lengths, unsigned n_lengths, uint64_t *random)
{
	struct prefix p = *parent;
	bool wild = below(random, 4) == 0 || parent->length == 0;
	unsigned i = 0;

	while (lengths[i] <= parent->length)
		i++;
	i += below(random, RTE_MIN(3u, n_lengths - i));
	p.length = lengths[i];
	for (unsigned bit = parent->length; bit < p.length; bit++)
		if (wild || bit + 3 >= p.length)
			set_bit(p.address, bit, spx_random(random) & 1);
	return p;
}

static struct prefix *
make_pool(uint8_t family, size_t n, uint64_t *random)
{
	const bool v6 = family == SPX_FAMILY_IPV6;
	const uint8_t *lengths = v6 ? lengths6 : lengths4;
	const unsigned n_lengths = v6 ? sizeof(lengths6) : sizeof(lengths4);
	struct prefix *pool = calloc(n, sizeof(*pool));

	for (size_t i = 1; pool != NULL && i < n; i++) {
		const struct prefix *parent;

		do
			parent = &pool[below(random, (uint32_t)i)];
		while (parent->length == lengths[n_lengths - 1]);
		/* A first level of a few dozen allocations, the rest inside them. */
		if (i < 32)
			parent = &pool[0];
		pool[i] = extend(parent, lengths, n_lengths, random);
		if (v6 && parent->length == 0)
			pool[i].address[0] = (uint8_t)(0x20u | (pool[i].address[0] & 0x1fu)); /* 2000::/3 */
	}
	return pool;
}

/* ---- rules ----------------------------------------------------------------------------------------- */

static void
draw_range(uint64_t *random, uint16_t *low, uint16_t *high)
{
	static const uint16_t known[] = {22, 25, 53, 80, 123, 179, 443, 500, 1521, 3306, 5060, 8080};
	uint32_t class = below(random, 100), a, b;

	*low = 0;
	*high = UINT16_MAX;
	if (class < 30)
		return;
	if (class < 75) {
		*low = *high = known[below(random, RTE_DIM(known))];
	} else if (class < 87) {
		*low = 1024;
	} else if (class < 90) {
		*high = 1023;
	} else {
		a = below(random, 65536);
		b = RTE_MIN(a + below(random, 512), (uint32_t)UINT16_MAX);
		*low = (uint16_t)a;
		*high = (uint16_t)b;
	}
}

static void
draw_match(uint8_t family, const struct prefix *pool, size_t n_pool, uint64_t *random, struct spx_match *m)
{
	const struct prefix *s = &pool[below(random, 100) < 15 ? 0 : below(random, (uint32_t)n_pool)];
	const struct prefix *d = &pool[below(random, 100) < 10 ? 0 : below(random, (uint32_t)n_pool)];
	uint32_t class = below(random, 100);

	spx_match_any(m);
	m->family = family;
	m->sip_length = s->length;
	m->dip_length = d->length;
	memcpy(m->sip, s->address, sizeof(m->sip));
	memcpy(m->dip, d->address, sizeof(m->dip));
	if (class < 8)
		return;
	m->fields |= SPX_MATCH_PROTO;
	if (class < 14) {
		m->proto = family == SPX_FAMILY_IPV6 ? 58 : 1;
		return;
	}
	m->proto = class < 70 ? 6 : 17;
	if (below(random, 100) < 15)
		draw_range(random, &m->sport_low, &m->sport_high);
	draw_range(random, &m->dport_low, &m->dport_high);
}

/* Longer prefixes first; equal ones stay as they were drawn (`order` still holds that). */
static int
by_specificity(const void *a, const void *b)
{
	const struct spx_rule *x = a, *y = b;
	int lx = x->match.sip_length + x->match.dip_length, ly = y->match.sip_length + y->match.dip_length;

	return lx != ly ? ly - lx : (x->order > y->order) - (x->order < y->order);
}

int
rule_sets_generate(uint8_t family, size_t n, uint64_t seed, struct spx_rule_list *list)
{
	const size_t n_pool = 64 + n / 2, first = list->n;
	uint64_t random = seed;
	struct prefix *pool = make_pool(family, n_pool, &random);
	struct spx_rule rule = {0};
	int rc = pool == NULL ? -ENOMEM : 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		rule.order = (uint32_t)i + 1;
		draw_match(family, pool, n_pool, &random, &rule.match);
		rc = spx_rule_list_add(list, &rule);
	}
	free(pool);
	if (rc != 0 || n == 0)
		return rc;
	qsort(list->rule + first, n, sizeof(*list->rule), by_specificity);
	for (size_t i = 0; i < n; i++) {
		list->rule[first + i].order = (uint32_t)i + 1;
		list->rule[first + i].action = (uint32_t)(i + 1) % SPX_ACTIONS_MAX;
	}
	spx_match_any(&list->rule[first + n - 1].match);
	list->rule[first + n - 1].match.family = family;
	return 0;
}

/* ---- headers --------------------------------------------------------------------------------------- */

static void
fill_random(uint64_t *random, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)spx_random(random);
}

static void
draw_address(uint8_t *out, const uint8_t *address, unsigned length, unsigned bytes, uint64_t *random)
{
	fill_random(random, out, bytes);
	for (unsigned bit = 0; bit < length; bit++)
		set_bit(out, bit, address[bit / 8] >> (7 - bit % 8) & 1);
}

/* The last eight bytes of both keys: ports, protocol, context. */
static void
draw_tail(uint8_t tail[8], const struct spx_match *m, uint64_t *random)
{
	uint32_t sport = m->sport_low + below(random, m->sport_high - m->sport_low + 1u);
	uint32_t dport = m->dport_low + below(random, m->dport_high - m->dport_low + 1u);
	uint32_t vlan = (m->fields & SPX_MATCH_VLAN) != 0 ? m->vlan : 0;
	uint32_t context =
		vlan << SPX_CONTEXT_VLAN_SHIFT | ((m->fields & SPX_MATCH_PORT) != 0 ? m->port : 0u);

	tail[0] = (uint8_t)(sport >> 8);
	tail[1] = (uint8_t)sport;
	tail[2] = (uint8_t)(dport >> 8);
	tail[3] = (uint8_t)dport;
	tail[4] = (m->fields & SPX_MATCH_PROTO) != 0 ? m->proto : (uint8_t)spx_random(random);
	tail[5] = (uint8_t)(context >> 16);
	tail[6] = (uint8_t)(context >> 8);
	tail[7] = (uint8_t)context;
}

void
rule_sets_key4(const struct spx_rule *rule, uint64_t *random, struct spx_key4 *key)
{
	const struct spx_match *m = &rule->match;
	uint8_t tail[8];

	draw_address(key->sip, m->sip, m->sip_length, 4, random);
	draw_address(key->dip, m->dip, m->dip_length, 4, random);
	draw_tail(tail, m, random);
	memcpy((uint8_t *)key + offsetof(struct spx_key4, sport), tail, sizeof(tail));
}

void
rule_sets_key6(const struct spx_rule *rule, uint64_t *random, struct spx_key6 *key)
{
	const struct spx_match *m = &rule->match;
	uint8_t tail[8];

	draw_address(key->sip, m->sip, m->sip_length, 16, random);
	draw_address(key->dip, m->dip, m->dip_length, 16, random);
	draw_tail(tail, m, random);
	memcpy((uint8_t *)key + offsetof(struct spx_key6, sport), tail, sizeof(tail));
}

void
rule_sets_random_key4(uint64_t *random, struct spx_key4 *key)
{
	fill_random(random, (uint8_t *)key, sizeof(*key));
	memset(key->context, 0, sizeof(key->context));
}

void
rule_sets_random_key6(uint64_t *random, struct spx_key6 *key)
{
	fill_random(random, (uint8_t *)key, sizeof(*key));
	memset(key->context, 0, sizeof(key->context));
}
