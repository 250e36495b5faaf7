/* The naive model; see rules_model.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <rte_eal.h>
#include <rte_vect.h>

#include "test/unit/rules_model.h"

void
start_eal(unsigned megabytes)
{
	char memory[16];
	const char *args[] = {"test_rules", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"--file-prefix=test_rules", "--log-level=lib.eal:error", "-m", memory};

	snprintf(memory, sizeof(memory), "%u", megabytes);
	cr_assert(rte_eal_init(RTE_DIM(args), (char **)(uintptr_t)args) >= 0, "EAL does not start");
	rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512);
}

/* ---- meaning --------------------------------------------------------------------------------------- */

static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static bool
names_ports(const struct spx_match *m)
{
	return !(m->sport_low == 0 && m->sport_high == 65535 && m->dport_low == 0 && m->dport_high == 65535);
}

bool
model_matches(const struct spx_match *m, const struct header *h)
{
	const bool ip = h->family != SPX_FAMILY_OTHER;
	uint16_t ethertype = h->family == SPX_FAMILY_IPV4   ? 0x0800
			     : h->family == SPX_FAMILY_IPV6 ? 0x86dd
							    : h->ethertype;

	if (m->family != SPX_FAMILY_ANY && m->family != h->family)
		return false;
	if (!same_bits(m->sip, h->sip, m->sip_length) || !same_bits(m->dip, h->dip, m->dip_length))
		return false;
	if (names_ports(m) && (!ip || h->fragment || h->sport < m->sport_low || h->sport > m->sport_high ||
				      h->dport < m->dport_low || h->dport > m->dport_high))
		return false;
	if ((m->fields & SPX_MATCH_PROTO) != 0 && (!ip || h->proto != m->proto))
		return false;
	if ((m->fields & SPX_MATCH_VLAN) != 0 && h->vlan != m->vlan)
		return false;
	if ((m->fields & SPX_MATCH_PORT) != 0 && h->port != m->port)
		return false;
	return (m->fields & SPX_MATCH_ETHERTYPE) == 0 || ethertype == m->ethertype;
}

uint32_t
model_lookup(const struct spx_rule *rule, size_t n, const struct header *h)
{
	uint32_t order = UINT32_MAX, action = SPX_ACTION_NONE;

	for (size_t i = 0; i < n; i++)
		if (rule[i].order < order && model_matches(&rule[i].match, h)) {
			order = rule[i].order;
			action = rule[i].action;
		}
	return action;
}

/* ---- the library ----------------------------------------------------------------------------------- */

/* The last eight bytes of both keys. */
static void
make_tail(uint8_t tail[8], const struct header *h)
{
	uint32_t context = (uint32_t)h->vlan << 12 | (h->fragment ? 1u << 11 : 0) | h->port;
	const uint8_t bytes[8] = {(uint8_t)(h->sport >> 8), (uint8_t)h->sport, (uint8_t)(h->dport >> 8),
		(uint8_t)h->dport, h->proto, (uint8_t)(context >> 16), (uint8_t)(context >> 8),
		(uint8_t)context};

	memcpy(tail, bytes, 8);
}

static void
lookup4(const struct spx_rules *rules, const struct header *h, uint32_t action[], unsigned n)
{
	struct spx_key4 key[SPX_BURST_MAX];
	const struct spx_key4 *keys[SPX_BURST_MAX];

	for (unsigned i = 0; i < n; i++) {
		memcpy(key[i].sip, h[i].sip, 4);
		memcpy(key[i].dip, h[i].dip, 4);
		make_tail((uint8_t *)&key[i] + 8, &h[i]);
		keys[i] = &key[i];
	}
	spx_rules_lookup4(rules, keys, action, n);
}

static void
lookup6(const struct spx_rules *rules, const struct header *h, uint32_t action[], unsigned n)
{
	struct spx_key6 key[SPX_BURST_MAX];
	const struct spx_key6 *keys[SPX_BURST_MAX];

	for (unsigned i = 0; i < n; i++) {
		memcpy(key[i].sip, h[i].sip, 16);
		memcpy(key[i].dip, h[i].dip, 16);
		make_tail((uint8_t *)&key[i] + 32, &h[i]);
		keys[i] = &key[i];
	}
	spx_rules_lookup6(rules, keys, action, n);
}

void
rules_lookup_burst(const struct spx_rules *rules, const struct header *h, uint32_t action[], unsigned n)
{
	if (n > 0 && h->family == SPX_FAMILY_IPV4)
		lookup4(rules, h, action, n);
	else if (n > 0 && h->family == SPX_FAMILY_IPV6)
		lookup6(rules, h, action, n);
	else
		for (unsigned i = 0; i < n; i++)
			action[i] = spx_rules_lookup_other(rules, h[i].ethertype, h[i].vlan, h[i].port);
}

uint32_t
rules_lookup(const struct spx_rules *rules, const struct header *header)
{
	uint32_t action;

	rules_lookup_burst(rules, header, &action, 1);
	return action;
}

/* ---- random ---------------------------------------------------------------------------------------- */

static const uint16_t ports[] = {0, 1, 53, 80, 1023, 1024, 8080, 65534, 65535};
static const uint8_t protocols[] = {0, 1, 6, 17, 58, 255};
static const uint16_t vlans[] = {0, 1, 100, 4095};
static const uint16_t inputs[] = {0, 1, 7, 2047};
static const uint16_t ethertypes[] = {0x0806, 0x8847, 0x88cc, 0x0800, 0x86dd};
static const uint8_t lengths[] = {0, 1, 7, 8, 9, 16, 24, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128};

#define DRAW(random, array) ((array)[spx_random(random) % RTE_DIM(array)])

static bool
one_in(uint64_t *random, unsigned n)
{
	return spx_random(random) % n == 0;
}

/* Bytes of few values, so that prefixes nest and meet. */
static void
random_address(uint64_t *random, uint8_t address[16])
{
	static const uint8_t bytes[] = {0x00, 0x0a, 0x80, 0xff};

	for (unsigned i = 0; i < 16; i++)
		address[i] = DRAW(random, bytes);
}

static void
random_prefix(uint64_t *random, uint8_t family, uint8_t address[16], uint8_t *length)
{
	do
		*length = DRAW(random, lengths);
	while (*length > (family == SPX_FAMILY_IPV6 ? 128 : 32));
	random_address(random, address);
	for (unsigned bit = *length; bit < 128; bit++)
		address[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
}

static void
random_range(uint64_t *random, uint16_t *low, uint16_t *high)
{
	uint16_t a = DRAW(random, ports), b = one_in(random, 2) ? a : DRAW(random, ports);

	if (one_in(random, 2))
		return;
	*low = RTE_MIN(a, b);
	*high = RTE_MAX(a, b);
}

void
random_match(uint64_t *random, struct spx_match *m)
{
	const struct spx_rule probe = {.order = 1};
	struct spx_rule rule = probe;

	do {
		spx_match_any(m);
		m->family = (uint8_t)(spx_random(random) % 4);
		if (m->family == SPX_FAMILY_IPV4 || m->family == SPX_FAMILY_IPV6) {
			if (one_in(random, 2))
				random_prefix(random, m->family, m->sip, &m->sip_length);
			if (one_in(random, 2))
				random_prefix(random, m->family, m->dip, &m->dip_length);
		}
		if (one_in(random, 2)) {
			random_range(random, &m->sport_low, &m->sport_high);
			random_range(random, &m->dport_low, &m->dport_high);
		}
		m->fields = (uint8_t)(spx_random(random) & spx_random(random) & 15);
		m->proto = DRAW(random, protocols);
		m->vlan = DRAW(random, vlans);
		m->port = DRAW(random, inputs);
		m->ethertype = DRAW(random, ethertypes);
		rule.match = *m;
	} while (spx_rule_check(&rule, NULL) != 0);
}

/* Takes the rule's prefix, and keeps a few random bits behind it. */
static void
come_near(uint8_t address[16], const uint8_t prefix[16], unsigned length)
{
	for (unsigned bit = 0; bit < length; bit++) {
		uint8_t mask = (uint8_t)(0x80u >> (bit % 8));

		address[bit / 8] = (uint8_t)((address[bit / 8] & ~mask) | (prefix[bit / 8] & mask));
	}
}

void
random_header(uint64_t *random, uint8_t family, const struct spx_rule *near, struct header *h)
{
	memset(h, 0, sizeof(*h));
	h->family = family;
	h->vlan = DRAW(random, vlans);
	h->port = DRAW(random, inputs);
	h->ethertype = ethertypes[spx_random(random) % 3];
	if (near != NULL && one_in(random, 2)) {
		h->vlan = near->match.vlan;
		h->port = near->match.port;
	}
	if (family == SPX_FAMILY_OTHER)
		return;
	random_address(random, h->sip);
	random_address(random, h->dip);
	h->sport = DRAW(random, ports);
	h->dport = DRAW(random, ports);
	h->proto = DRAW(random, protocols);
	h->fragment = one_in(random, 5);
	if (near != NULL) {
		come_near(h->sip, near->match.sip, near->match.sip_length);
		come_near(h->dip, near->match.dip, near->match.dip_length);
		if (!one_in(random, 4)) {
			h->sport = one_in(random, 2) ? near->match.sport_low : near->match.sport_high;
			h->dport = one_in(random, 2) ? near->match.dport_low : near->match.dport_high;
			h->proto = near->match.proto;
		}
	}
	if (h->fragment)
		h->sport = h->dport = 0;
}
