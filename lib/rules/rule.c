/* Single rules and lists of them: the match that accepts everything, and the checks that keep nonsense out of
 * the classifiers, which trust what passed here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rules/rules_internal.h"

#define VLAN_MAX 4095u /* 12 bits */

static const char *const family_names[] = {"any", "IPv4", "IPv6", "other than IP"};

void
spx_match_any(struct spx_match *match)
{
	memset(match, 0, sizeof(*match));
	match->sport_high = UINT16_MAX;
	match->dport_high = UINT16_MAX;
}

unsigned
spx_match_families(const struct spx_match *match)
{
	unsigned set = match->family == SPX_FAMILY_ANY ? SPX_FAMILIES_ALL : 1u << match->family;

	if (spx_match_names_ports(match) || (match->fields & SPX_MATCH_PROTO) != 0)
		set &= SPX_FAMILIES_IP;
	if ((match->fields & SPX_MATCH_ETHERTYPE) != 0) {
		if (match->ethertype == SPX_ETHERTYPE_IPV4)
			set &= 1u << SPX_FAMILY_IPV4;
		else if (match->ethertype == SPX_ETHERTYPE_IPV6)
			set &= 1u << SPX_FAMILY_IPV6;
		else
			set &= 1u << SPX_FAMILY_OTHER;
	}
	return set;
}

int
spx_rule_list_add(struct spx_rule_list *list, const struct spx_rule *rule)
{
	if (list->n == list->room) {
		size_t room = list->room == 0 ? 64 : 2 * list->room;
		struct spx_rule *more = reallocarray(list->rule, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		list->rule = more;
		list->room = room;
	}
	list->rule[list->n++] = *rule;
	return 0;
}

void
spx_rule_list_free(struct spx_rule_list *list)
{
	free(list->rule);
	*list = (struct spx_rule_list){0};
}

/* Are all bits of the 16 bytes behind the first `length` zero? */
static bool
zero_beyond(const uint8_t address[16], unsigned length)
{
	for (unsigned i = length / 8; i < 16; i++) {
		unsigned inside = i == length / 8 ? length % 8 : 0;

		if ((address[i] & (0xffu >> inside)) != 0)
			return false;
	}
	return true;
}

static int
check_address(const struct spx_match *m, const char *what, const uint8_t address[16], unsigned length,
	struct spx_error *err)
{
	unsigned longest = m->family == SPX_FAMILY_IPV6 ? 128 : m->family == SPX_FAMILY_IPV4 ? 32 : 0;

	if (length > 0 && longest == 0)
		return spx_error(err, -EINVAL,
			"the %s has a prefix but the family is %s: it must be IPv4 or IPv6", what,
			family_names[m->family]);
	if (length > longest)
		return spx_error(err, -EINVAL,
			"the prefix length of the %s is %u: an %s prefix has 0 to %u bits", what, length,
			family_names[m->family], longest);
	if (!zero_beyond(address, length))
		return spx_error(err, -EINVAL,
			"the %s has bits set beyond its prefix of %u bits: they must be zero", what, length);
	return 0;
}

static int
check_range(const char *what, unsigned low, unsigned high, struct spx_error *err)
{
	if (low > high)
		return spx_error(err, -EINVAL,
			"the range of the %s is %u to %u: the lower end must come first", what, low, high);
	return 0;
}

static int
check_fields(const struct spx_match *m, struct spx_error *err)
{
	const unsigned known = SPX_MATCH_VLAN | SPX_MATCH_PORT | SPX_MATCH_ETHERTYPE | SPX_MATCH_PROTO;

	if ((m->fields & ~known) != 0)
		return spx_error(err, -EINVAL, "the fields are 0x%x: only bits of 0x%x mean something",
			m->fields, known);
	if ((m->fields & SPX_MATCH_VLAN) != 0 && m->vlan > VLAN_MAX)
		return spx_error(
			err, -EINVAL, "the VLAN is %u: a VLAN id is 0 (untagged) to %u", m->vlan, VLAN_MAX);
	if ((m->fields & SPX_MATCH_PORT) != 0 && m->port > SPX_CONTEXT_PORT_MASK)
		return spx_error(err, -EINVAL, "the input port is %u: a port id is 0 to %u", m->port,
			SPX_CONTEXT_PORT_MASK);
	return 0;
}

/* The conditions must leave a family that can match. */
static int
check_families(const struct spx_match *m, struct spx_error *err)
{
	if (spx_match_families(m) != 0)
		return 0;
	if ((m->fields & SPX_MATCH_ETHERTYPE) == 0)
		return spx_error(err, -EINVAL,
			"the family is %s but a protocol or a port range is named: those need IPv4 or IPv6",
			family_names[m->family]);
	return spx_error(err, -EINVAL,
		"EtherType 0x%04x contradicts the family (%s) or the protocol or port range named: 0x0800 "
		"goes "
		"with IPv4, 0x86dd with IPv6, every other with neither protocol nor ports",
		m->ethertype, family_names[m->family]);
}

int
spx_rule_check(const struct spx_rule *rule, struct spx_error *err)
{
	const struct spx_match *m = &rule->match;
	int rc;

	if (rule->order == 0 || rule->order > SPX_RULE_ORDER_MAX)
		return spx_error(err, -EINVAL, "the order is %u: an order is 1 to %u", rule->order,
			SPX_RULE_ORDER_MAX);
	if (rule->action >= SPX_ACTIONS_MAX)
		return spx_error(err, -EINVAL, "the action id is %u: an action id is 0 to %u", rule->action,
			SPX_ACTIONS_MAX - 1);
	if (m->family > SPX_FAMILY_OTHER)
		return spx_error(err, -EINVAL,
			"the family is %u: it must be any, IPv4, IPv6 or other (0 to %u)", m->family,
			SPX_FAMILY_OTHER);
	if ((rc = check_address(m, "source address", m->sip, m->sip_length, err)) != 0 ||
		(rc = check_address(m, "destination address", m->dip, m->dip_length, err)) != 0 ||
		(rc = check_range("source port", m->sport_low, m->sport_high, err)) != 0 ||
		(rc = check_range("destination port", m->dport_low, m->dport_high, err)) != 0 ||
		(rc = check_fields(m, err)) != 0)
		return rc;
	return check_families(m, err);
}
