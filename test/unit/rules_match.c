/* Every condition of a rule by hand: what it accepts and what it does not, the same in linear and acl; what
 * spx_rule_check refuses; how sets are built. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/rules_model.h"

static void
setup(void)
{
	start_eal(64);
}

TestSuite(rules_match, .init = setup);

static struct spx_rule
any_rule(uint32_t order, uint32_t action)
{
	struct spx_rule rule = {.order = order, .action = action};

	spx_match_any(&rule.match);
	return rule;
}

static struct spx_rule
family_rule(uint8_t family)
{
	struct spx_rule rule = any_rule(1, 7);

	rule.match.family = family;
	return rule;
}

static struct header
ipv4_header(void)
{
	return (struct header){.family = SPX_FAMILY_IPV4,
		.sip = {10, 1, 2, 3},
		.dip = {192, 0, 2, 9},
		.sport = 1234,
		.dport = 80,
		.proto = 6,
		.vlan = 100,
		.port = 3};
}

static struct header
ipv6_header(void)
{
	struct header h = ipv4_header();

	h.family = SPX_FAMILY_IPV6;
	memcpy(h.sip, (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}, 16);
	memcpy(h.dip, (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4}, 16);
	return h;
}

static struct header
other_header(uint16_t ethertype)
{
	return (struct header){.family = SPX_FAMILY_OTHER, .ethertype = ethertype, .vlan = 100, .port = 3};
}

/* The set of this one rule, under both classifiers and the model, says `accepts` about the header. */
static void
check(const struct spx_rule *rule, const struct header *h, bool accepts, int line)
{
	static const char *const names[] = {"linear", "acl"};
	const uint32_t wanted = accepts ? rule->action : SPX_ACTION_NONE;

	cr_expect_eq(model_matches(&rule->match, h), accepts, "line %d: the model disagrees", line);
	for (enum spx_classifier c = SPX_CLASSIFIER_LINEAR; c <= SPX_CLASSIFIER_ACL; c++) {
		struct spx_rules *rules;
		struct spx_error err = {0};

		cr_assert_eq(spx_rules_build(c, rule, 1, &rules, &err), 0, "line %d: %s", line, err.text);
		cr_expect_eq(rules_lookup(rules, h), wanted, "line %d: %s is wrong", line, names[c]);
		spx_rules_free(rules);
	}
}

#define ACCEPTS(rule, header) check(&(rule), &(header), true, __LINE__)
#define REFUSES(rule, header) check(&(rule), &(header), false, __LINE__)

Test(rules_match, family)
{
	struct header h4 = ipv4_header(), h6 = ipv6_header(), arp = other_header(0x0806);
	struct spx_rule any = any_rule(1, 7), v4 = family_rule(SPX_FAMILY_IPV4),
			v6 = family_rule(SPX_FAMILY_IPV6), other = family_rule(SPX_FAMILY_OTHER);

	ACCEPTS(any, h4);
	ACCEPTS(any, h6);
	ACCEPTS(any, arp);
	ACCEPTS(v4, h4);
	REFUSES(v4, h6);
	REFUSES(v4, arp);
	REFUSES(v6, h4);
	ACCEPTS(v6, h6);
	REFUSES(v6, arp);
	REFUSES(other, h4);
	REFUSES(other, h6);
	ACCEPTS(other, arp);
}

Test(rules_match, prefix4)
{
	struct header h = ipv4_header();
	struct spx_rule rule = family_rule(SPX_FAMILY_IPV4);

	memcpy(rule.match.sip, h.sip, 4);
	rule.match.sip_length = 32;
	ACCEPTS(rule, h);
	h.sip[3] ^= 1;
	REFUSES(rule, h);
	rule.match.sip[3] = 2;
	rule.match.sip_length = 31;
	ACCEPTS(rule, h);
	h.sip[0] ^= 0x80;
	REFUSES(rule, h);
	rule = family_rule(SPX_FAMILY_IPV4);
	rule.match.dip[0] = 128;
	rule.match.dip_length = 1;
	ACCEPTS(rule, h);
	h.dip[0] = 127;
	REFUSES(rule, h);
}

Test(rules_match, prefix6)
{
	static const uint8_t lengths[] = {1, 31, 32, 33, 64, 65, 100, 127, 128};
	const struct header h = ipv6_header();

	for (size_t i = 0; i < RTE_DIM(lengths); i++) {
		unsigned last = lengths[i] - 1u; /* the last bit that counts */
		struct spx_rule rule = family_rule(SPX_FAMILY_IPV6);
		struct header off = h;

		for (unsigned bit = 0; bit <= last; bit++)
			rule.match.dip[bit / 8] |= h.dip[bit / 8] & 0x80u >> (bit % 8);
		rule.match.dip_length = lengths[i];
		ACCEPTS(rule, h);
		off.dip[last / 8] ^= (uint8_t)(0x80u >> (last % 8));
		REFUSES(rule, off);
		off = h;
		if (lengths[i] < 128) {
			off.dip[lengths[i] / 8] ^= (uint8_t)(0x80u >> (lengths[i] % 8));
			ACCEPTS(rule, off);
		}
	}
}

Test(rules_match, ranges)
{
	struct header h4 = ipv4_header(), h6 = ipv6_header(), arp = other_header(0x0806);
	struct spx_rule rule = any_rule(1, 7);

	rule.match.sport_low = 1234;
	rule.match.sport_high = 1240;
	ACCEPTS(rule, h4);
	ACCEPTS(rule, h6);
	REFUSES(rule, arp);
	h4.sport = 1240;
	ACCEPTS(rule, h4);
	h4.sport = 1241;
	REFUSES(rule, h4);
	h4.sport = 1233;
	REFUSES(rule, h4);
	rule = any_rule(1, 7);
	rule.match.dport_high = 80;
	ACCEPTS(rule, h4);
	h4.dport = 81;
	REFUSES(rule, h4);
	h4.dport = 0;
	ACCEPTS(rule, h4);
}

Test(rules_match, fragments_match_no_ports)
{
	struct header h = ipv4_header();
	struct spx_rule wide = any_rule(1, 7), from_zero = any_rule(1, 7), all_but_one = any_rule(1, 7);

	h.fragment = true;
	h.sport = h.dport = 0;
	from_zero.match.dport_high = 1023;
	all_but_one.match.sport_high = 65534;
	ACCEPTS(wide, h);
	REFUSES(from_zero, h);
	REFUSES(all_but_one, h);
	h.fragment = false;
	ACCEPTS(from_zero, h);
	ACCEPTS(all_but_one, h);
}

/* Fragments go by the rules without ports, also behind one that would take them by its range. */
Test(rules_match, fragments_fall_through)
{
	struct spx_rule rule[3] = {any_rule(1, 1), any_rule(2, 2), any_rule(3, 3)};
	struct header h[3] = {ipv4_header(), ipv4_header(), ipv4_header()};

	rule[0].match.dport_high = 1023;
	rule[1].match.fields = SPX_MATCH_PROTO;
	rule[1].match.proto = 17;
	h[0].fragment = h[2].fragment = true;
	h[0].sport = h[0].dport = h[2].sport = h[2].dport = 0;
	h[0].proto = 17;
	for (enum spx_classifier c = SPX_CLASSIFIER_LINEAR; c <= SPX_CLASSIFIER_ACL; c++) {
		struct spx_rules *rules;
		uint32_t action[3];

		cr_assert_eq(spx_rules_build(c, rule, 3, &rules, NULL), 0);
		rules_lookup_burst(rules, h, action, 3);
		cr_expect_eq(action[0], 2);
		cr_expect_eq(action[1], 1);
		cr_expect_eq(action[2], 3);
		spx_rules_free(rules);
	}
}

Test(rules_match, protocol)
{
	struct header h4 = ipv4_header(), h6 = ipv6_header(), arp = other_header(0x0806);
	struct spx_rule rule = any_rule(1, 7);

	rule.match.fields = SPX_MATCH_PROTO;
	rule.match.proto = 6;
	ACCEPTS(rule, h4);
	ACCEPTS(rule, h6);
	REFUSES(rule, arp);
	h4.proto = 17;
	REFUSES(rule, h4);
	rule.match.proto = 0;
	REFUSES(rule, h4);
	rule.match.fields = 0; /* the number alone means nothing */
	ACCEPTS(rule, h4);
}

/* ICMP: the source port holds type<<8 | code, the destination port the identifier. */
Test(rules_match, icmp_type_and_code)
{
	struct header h = ipv4_header();
	struct spx_rule rule = family_rule(SPX_FAMILY_IPV4);

	h.proto = rule.match.proto = 1;
	rule.match.fields = SPX_MATCH_PROTO;
	rule.match.sport_low = rule.match.sport_high = 8 << 8;
	h.sport = 8 << 8;
	h.dport = 4711;
	ACCEPTS(rule, h);
	h.sport = 3 << 8 | 1;
	REFUSES(rule, h);
}

Test(rules_match, vlan)
{
	struct header h4 = ipv4_header(), h6 = ipv6_header(), arp = other_header(0x0806);
	struct spx_rule rule = any_rule(1, 7);

	rule.match.fields = SPX_MATCH_VLAN;
	rule.match.vlan = 100;
	ACCEPTS(rule, h4);
	ACCEPTS(rule, h6);
	ACCEPTS(rule, arp);
	h4.vlan = h6.vlan = arp.vlan = 101;
	REFUSES(rule, h4);
	REFUSES(rule, h6);
	REFUSES(rule, arp);
	rule.match.vlan = 0;
	REFUSES(rule, h4);
	h4.vlan = 0;
	ACCEPTS(rule, h4);
}

Test(rules_match, input_port)
{
	struct header h4 = ipv4_header(), h6 = ipv6_header(), arp = other_header(0x0806);
	struct spx_rule rule = any_rule(1, 7);

	rule.match.fields = SPX_MATCH_PORT;
	rule.match.port = 3;
	ACCEPTS(rule, h4);
	ACCEPTS(rule, h6);
	ACCEPTS(rule, arp);
	h4.port = h6.port = 2047;
	arp.port = 0;
	REFUSES(rule, h4);
	REFUSES(rule, h6);
	REFUSES(rule, arp);
	/* A port is no reason to refuse fragments, nor the fragment bit a part of the port. */
	h4.port = 3;
	h4.fragment = true;
	h4.sport = h4.dport = 0;
	ACCEPTS(rule, h4);
}

Test(rules_match, ethertype)
{
	struct header h4 = ipv4_header(), h6 = ipv6_header(), arp = other_header(0x0806),
		      lldp = other_header(0x88cc);
	struct spx_rule rule = any_rule(1, 7);

	rule.match.fields = SPX_MATCH_ETHERTYPE;
	rule.match.ethertype = 0x0806;
	REFUSES(rule, h4);
	ACCEPTS(rule, arp);
	REFUSES(rule, lldp);
	rule.match.ethertype = 0x0800;
	ACCEPTS(rule, h4);
	REFUSES(rule, h6);
	REFUSES(rule, arp);
	rule.match.ethertype = 0x86dd;
	REFUSES(rule, h4);
	ACCEPTS(rule, h6);
	REFUSES(rule, arp);
}

/* ---- sets ------------------------------------------------------------------------------------------ */

Test(rules_match, lower_order_wins_whatever_the_array)
{
	struct spx_rule rule[3] = {any_rule(30, 3), any_rule(10, 1), any_rule(20, 2)};
	struct header h = ipv4_header();

	rule[1].match.fields = SPX_MATCH_PROTO;
	rule[1].match.proto = 6;
	for (enum spx_classifier c = SPX_CLASSIFIER_LINEAR; c <= SPX_CLASSIFIER_ACL; c++) {
		struct spx_rules *rules;

		h.proto = 6;
		cr_assert_eq(spx_rules_build(c, rule, 3, &rules, NULL), 0);
		cr_expect_eq(spx_rules_count(rules), 3);
		cr_expect_eq(rules_lookup(rules, &h), 1);
		h.proto = 17;
		cr_expect_eq(rules_lookup(rules, &h), 2);
		spx_rules_lookup4(rules, NULL, NULL, 0); /* an empty burst is no mistake */
		spx_rules_lookup6(rules, NULL, NULL, 0);
		spx_rules_free(rules);
	}
}

Test(rules_match, empty_set_answers_none)
{
	struct header h4 = ipv4_header(), h6 = ipv6_header(), arp = other_header(0x0806);

	for (enum spx_classifier c = SPX_CLASSIFIER_LINEAR; c <= SPX_CLASSIFIER_ACL; c++) {
		struct spx_rules *rules;

		cr_assert_eq(spx_rules_build(c, NULL, 0, &rules, NULL), 0);
		cr_expect_eq(spx_rules_count(rules), 0);
		cr_expect_eq(rules_lookup(rules, &h4), SPX_ACTION_NONE);
		cr_expect_eq(rules_lookup(rules, &h6), SPX_ACTION_NONE);
		cr_expect_eq(rules_lookup(rules, &arp), SPX_ACTION_NONE);
		spx_rules_free(rules);
	}
	spx_rules_free(NULL);
}

Test(rules_match, build_names_bad_and_double_rules)
{
	struct spx_rule rule[2] = {any_rule(5, 1), any_rule(5, 2)};
	struct spx_rules *rules;
	struct spx_error err;

	cr_expect_eq(spx_rules_build(SPX_CLASSIFIER_ACL, rule, 2, &rules, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "order 5"), "%s", err.text);
	cr_expect_null(rules);
	rule[1].order = 6;
	rule[1].match.sport_low = 9;
	rule[1].match.sport_high = 8;
	cr_expect_eq(spx_rules_build(SPX_CLASSIFIER_ACL, rule, 2, &rules, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "rule 2 (order 6)"), "%s", err.text);
	cr_expect_null(rules);
}

/* More rules than EAL has memory for: an error that says so; linear lives without EAL's memory. */
Test(rules_match, compile_without_memory_fails_cleanly)
{
	enum { N = 400000 };
	struct spx_rule *rule = calloc(N, sizeof(*rule));
	struct spx_rules *rules;
	struct spx_error err = {0};

	cr_assert_not_null(rule);
	for (uint32_t i = 0; i < N; i++) {
		rule[i] = family_rule(SPX_FAMILY_IPV6);
		rule[i].order = i + 1;
	}
	cr_expect_eq(spx_rules_build(SPX_CLASSIFIER_ACL, rule, N, &rules, &err), -ENOMEM);
	cr_expect_not_null(strstr(err.text, "more memory"), "%s", err.text);
	cr_expect_null(rules);
	cr_expect_eq(spx_rules_build(SPX_CLASSIFIER_LINEAR, rule, N, &rules, &err), 0);
	spx_rules_free(rules);
	free(rule);
}

/* ---- spx_rule_check -------------------------------------------------------------------------------- */

static void
refused(const struct spx_rule *rule, const char *word, int line)
{
	struct spx_error err = {0};

	cr_expect_eq(spx_rule_check(rule, &err), -EINVAL, "line %d", line);
	cr_expect_not_null(strstr(err.text, word), "line %d: %s", line, err.text);
}

#define REFUSED(change, word)                                                                                \
	do {                                                                                                 \
		struct spx_rule r = family_rule(SPX_FAMILY_IPV4);                                            \
		struct spx_match *m = &r.match;                                                              \
		(void)m;                                                                                     \
		change;                                                                                      \
		refused(&r, word, __LINE__);                                                                 \
	} while (0)

Test(rules_check, refuses_nonsense)
{
	REFUSED(r.order = 0, "order");
	REFUSED(r.order = SPX_RULE_ORDER_MAX + 1, "order");
	REFUSED(r.action = SPX_ACTIONS_MAX, "action");
	REFUSED(m->family = 4, "family");
	REFUSED(m->sip_length = 33, "0 to 32 bits");
	REFUSED((m->family = SPX_FAMILY_IPV6, m->dip_length = 129), "0 to 128 bits");
	REFUSED((m->family = SPX_FAMILY_ANY, m->sip_length = 8, m->sip[0] = 10), "IPv4 or IPv6");
	REFUSED((m->family = SPX_FAMILY_OTHER, m->dip_length = 8), "IPv4 or IPv6");
	REFUSED((m->sip_length = 8, m->sip[1] = 1), "beyond its prefix");
	REFUSED((m->dip_length = 9, m->dip[1] = 0x40), "beyond its prefix");
	REFUSED((m->dip_length = 32, m->dip[4] = 1), "beyond its prefix");
	REFUSED((m->sport_low = 2, m->sport_high = 1), "source port");
	REFUSED((m->dport_low = 65535, m->dport_high = 0), "destination port");
	REFUSED(m->fields = 0x10, "fields");
	REFUSED((m->fields = SPX_MATCH_VLAN, m->vlan = 4096), "VLAN");
	REFUSED((m->fields = SPX_MATCH_PORT, m->port = 2048), "input port");
	REFUSED((m->family = SPX_FAMILY_OTHER, m->fields = SPX_MATCH_PROTO), "IPv4 or IPv6");
	REFUSED((m->family = SPX_FAMILY_OTHER, m->sport_high = 80), "IPv4 or IPv6");
	REFUSED((m->fields = SPX_MATCH_ETHERTYPE, m->ethertype = 0x86dd), "0x86dd");
	REFUSED((m->family = SPX_FAMILY_ANY, m->fields = SPX_MATCH_ETHERTYPE | SPX_MATCH_PROTO,
			m->ethertype = 0x0806),
		"0x0806");
}

Test(rules_check, accepts_the_edges)
{
	struct spx_rule rule = any_rule(SPX_RULE_ORDER_MAX, SPX_ACTIONS_MAX - 1);

	rule.match.fields = SPX_MATCH_VLAN | SPX_MATCH_PORT | SPX_MATCH_PROTO | SPX_MATCH_ETHERTYPE;
	rule.match.vlan = 4095;
	rule.match.port = 2047;
	rule.match.proto = 255;
	rule.match.ethertype = 0x0800;
	cr_expect_eq(spx_rule_check(&rule, NULL), 0);
	rule.match.family = SPX_FAMILY_IPV4;
	rule.match.sip_length = rule.match.dip_length = 32;
	memset(rule.match.sip, 0xff, 4);
	cr_expect_eq(spx_rule_check(&rule, NULL), 0);
	/* What the fields do not name is not looked at. */
	rule.match.fields = 0;
	rule.match.vlan = rule.match.port = UINT16_MAX;
	cr_expect_eq(spx_rule_check(&rule, NULL), 0);
}
