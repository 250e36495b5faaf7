/* Rules as JSON; see setup_json.h. The inverse of setup_match.c: keys in its order, none for what matches
 * anything. */
#include <arpa/inet.h>
#include <stdio.h>

#include "app/sphex/setup_json.h"
#include "app/sphex/setup_reader.h"

static json_t *
prefix(uint8_t family, const uint8_t address[16], uint8_t length)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family == SPX_FAMILY_IPV6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	return json_sprintf("%s/%u", text, length);
}

static json_t *
protocol(uint8_t proto)
{
	const char *name = spx_proto_name(proto);

	return name != NULL ? json_string(name) : json_integer(proto);
}

static json_t *
range(uint16_t low, uint16_t high)
{
	return low == high ? json_integer(low) : json_sprintf("%u-%u", low, high);
}

/* The family is not said where other keys say it. */
static bool
says_family(const struct spx_match *m)
{
	return m->sip_length > 0 || m->dip_length > 0 || (m->fields & SPX_MATCH_ETHERTYPE) != 0;
}

json_t *
spx_match_json(const struct spx_setup *setup, const struct spx_match *m)
{
	json_t *o = json_object();
	int full = o == NULL;

	if (m->family != SPX_FAMILY_ANY && !says_family(m))
		full |= json_object_set_new(o, "family", json_string(spx_family_words[m->family]));
	if (m->sip_length > 0)
		full |= json_object_set_new(o, "src", prefix(m->family, m->sip, m->sip_length));
	if (m->dip_length > 0)
		full |= json_object_set_new(o, "dst", prefix(m->family, m->dip, m->dip_length));
	if (m->fields & SPX_MATCH_PROTO)
		full |= json_object_set_new(o, "proto", protocol(m->proto));
	if (m->sport_low > 0 || m->sport_high < UINT16_MAX)
		full |= json_object_set_new(o, "sport", range(m->sport_low, m->sport_high));
	if (m->dport_low > 0 || m->dport_high < UINT16_MAX)
		full |= json_object_set_new(o, "dport", range(m->dport_low, m->dport_high));
	if (m->fields & SPX_MATCH_VLAN)
		full |= json_object_set_new(o, "vlan", json_integer(m->vlan));
	if (m->fields & SPX_MATCH_PORT)
		full |= json_object_set_new(o, "port", json_string(setup->port[m->port].name));
	if (m->fields & SPX_MATCH_ETHERTYPE)
		full |= json_object_set_new(o, "ethertype", json_sprintf("0x%04x", m->ethertype));
	if (full == 0)
		return o;
	json_decref(o);
	return NULL;
}

json_t *
spx_rule_json(const struct spx_setup *setup, const struct spx_rule *rule)
{
	return json_pack("{s:I, s:o, s:s}", "order", (json_int_t)rule->order, "match",
		spx_match_json(setup, &rule->match), "action", setup->action[rule->action].name);
}
