/* "match" of a rule: JSON to struct spx_match; see setup_reader.h. What one key may say is checked here, how
 * keys go together by spx_rule_check. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "app/sphex/setup_reader.h"

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu

/* In the order of enum spx_family. */
const char *const spx_family_words[] = {"any", "ipv4", "ipv6", "other", NULL};

/* Addresses and EtherTypes say the family too; all must say the same. */
static int
set_family(const struct spx_place *at, struct spx_match *match, enum spx_family family)
{
	if (match->family != SPX_FAMILY_ANY && match->family != family)
		return spx_unexpected(at,
			"this is of family \"%s\", the keys before it say \"%s\": one family in a "
			"rule expected",
			spx_family_words[family], spx_family_words[match->family]);
	match->family = (uint8_t)family;
	return 0;
}

static int
read_family(const struct spx_place *at, const struct spx_field *field, void *into)
{
	unsigned family;
	int rc = spx_read_word(at, field, &family);

	if (rc == 0)
		((struct spx_match *)into)->family = (uint8_t)family;
	return rc;
}

/* Digits (or 0x and hexadecimal digits where base is 16) at *text up to max; *text moves behind them. */
static bool
parse_number(const char **text, unsigned base, unsigned max, unsigned *number)
{
	static const char digits[] = "0123456789abcdef";
	const char *c = *text;

	*number = 0;
	while (*c != '\0') {
		const char *digit = strchr(digits, *c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);

		if (digit == NULL || digit >= digits + base)
			break;
		*number = *number * base + (unsigned)(digit - digits);
		if (*number > max)
			return false;
		c++;
	}
	if (c == *text)
		return false;
	*text = c;
	return true;
}

/* Clears the bits of address beyond the first `length` of `bits`; true when one was set. */
static bool
clear_host_bits(uint8_t *address, unsigned length, unsigned bits)
{
	bool was_set = false;

	for (unsigned i = length; i < bits; i++) {
		uint8_t bit = 0x80 >> (i % 8);

		was_set = was_set || (address[i / 8] & bit) != 0;
		address[i / 8] &= (uint8_t)~bit;
	}
	return was_set;
}

int
spx_read_prefix(const struct spx_place *at, uint8_t address[16], uint8_t *length, bool *ipv6)
{
	const char *text = json_string_value(at->value), *rest;
	size_t n = text == NULL ? 0 : strcspn(text, "/");
	char alone[INET6_ADDRSTRLEN] = "";
	bool v6 = text != NULL && memchr(text, ':', n) != NULL;
	unsigned bits = v6 ? 128 : 32, prefix = bits;
	bool good = n > 0 && n < sizeof(alone);

	if (good) {
		memcpy(alone, text, n);
		good = inet_pton(v6 ? AF_INET6 : AF_INET, alone, address) == 1;
		rest = text + n + 1;
		if (good && text[n] == '/')
			good = parse_number(&rest, 10, bits, &prefix) && *rest == '\0';
	}
	if (!good)
		return spx_unexpected(at,
			"an IPv4 or IPv6 prefix such as \"10.0.0.0/8\" or \"2001:db8::/32\" "
			"expected");
	if (clear_host_bits(address, prefix, bits)) {
		inet_ntop(v6 ? AF_INET6 : AF_INET, address, alone, sizeof(alone));
		return spx_unexpected(
			at, "no bits beyond the prefix expected, did you mean \"%s/%u\"?", alone, prefix);
	}
	*length = (uint8_t)prefix;
	*ipv6 = v6;
	return 0;
}

static int
read_prefix(const struct spx_place *at, struct spx_match *match, uint8_t address[16], uint8_t *length)
{
	bool ipv6;
	int rc = spx_read_prefix(at, address, length, &ipv6);

	return rc != 0 ? rc : set_family(at, match, ipv6 ? SPX_FAMILY_IPV6 : SPX_FAMILY_IPV4);
}

static int
read_src(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;

	(void)field;
	return read_prefix(at, match, match->sip, &match->sip_length);
}

static int
read_dst(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;

	(void)field;
	return read_prefix(at, match, match->dip, &match->dip_length);
}

/* IANA's protocol numbers. */
static const struct {
	const char *word;
	uint8_t number;
} protocols[] = {{"icmp", 1}, {"igmp", 2}, {"tcp", 6}, {"udp", 17}, {"gre", 47}, {"esp", 50}, {"ah", 51},
	{"icmpv6", 58}, {"ospf", 89}, {"sctp", 132}};

const char *
spx_proto_name(uint8_t proto)
{
	for (size_t i = 0; i < RTE_DIM(protocols); i++)
		if (protocols[i].number == proto)
			return protocols[i].word;
	return NULL;
}

static int
read_proto(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;
	const char *word = json_string_value(at->value);
	json_int_t number = json_is_integer(at->value) ? json_integer_value(at->value) : -1;

	(void)field;
	for (size_t i = 0; word != NULL && i < RTE_DIM(protocols); i++)
		if (strcmp(word, protocols[i].word) == 0)
			number = protocols[i].number;
	if (number < 0 || number > UINT8_MAX)
		return spx_unexpected(at,
			"a protocol number from 0 to 255 or one of \"icmp\", \"igmp\", \"tcp\", "
			"\"udp\", \"gre\", \"esp\", \"ah\", \"icmpv6\", \"ospf\", \"sctp\" "
			"expected");
	match->proto = (uint8_t)number;
	match->fields |= SPX_MATCH_PROTO;
	return 0;
}

static int
read_range(const struct spx_place *at, uint16_t *low, uint16_t *high)
{
	const char *text = json_string_value(at->value);
	json_int_t number = json_integer_value(at->value);
	unsigned first = (unsigned)number, last = first;
	bool good = json_is_integer(at->value) && number >= 0 && number <= UINT16_MAX;

	if (text != NULL) {
		good = parse_number(&text, 10, UINT16_MAX, &first);
		last = first;
		if (good && *text == '-') {
			text++;
			good = parse_number(&text, 10, UINT16_MAX, &last);
		}
		good = good && *text == '\0' && first <= last;
	}
	if (!good)
		return spx_unexpected(at, "a port from 0 to 65535 or a range such as \"1000-2000\" expected");
	*low = (uint16_t)first;
	*high = (uint16_t)last;
	return 0;
}

static int
read_sport(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;

	(void)field;
	return read_range(at, &match->sport_low, &match->sport_high);
}

static int
read_dport(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;

	(void)field;
	return read_range(at, &match->dport_low, &match->dport_high);
}

static int
read_vlan(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;
	int rc = spx_read_u16(at, field, &match->vlan);

	if (rc == 0)
		match->fields |= SPX_MATCH_VLAN;
	return rc;
}

static int
read_port(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;
	int rc = spx_read_port_receiving(at, field, &match->port);

	if (rc == 0)
		match->fields |= SPX_MATCH_PORT;
	return rc;
}

static int
read_ethertype(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_match *match = into;
	const char *text = json_string_value(at->value);
	json_int_t number = json_integer_value(at->value);
	unsigned type = (unsigned)number;
	bool good = json_is_integer(at->value) && number >= 0 && number <= UINT16_MAX;

	(void)field;
	if (text != NULL && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		text += 2;
		good = parse_number(&text, 16, UINT16_MAX, &type) && *text == '\0';
	}
	if (!good)
		return spx_unexpected(at, "an EtherType from 0 to 65535 or in hexadecimal such as \"0x0806\" "
					  "expected");
	if (type == ETHERTYPE_IPV4)
		return set_family(at, match, SPX_FAMILY_IPV4);
	if (type == ETHERTYPE_IPV6)
		return set_family(at, match, SPX_FAMILY_IPV6);
	match->ethertype = (uint16_t)type;
	match->fields |= SPX_MATCH_ETHERTYPE;
	return set_family(at, match, SPX_FAMILY_OTHER);
}

static const struct spx_field match_fields[] = {
	{"family", read_family, .words = spx_family_words},
	{"src", read_src},
	{"dst", read_dst},
	{"proto", read_proto},
	{"sport", read_sport},
	{"dport", read_dport},
	{"vlan", read_vlan, .max = 4095},
	{"port", read_port},
	{"ethertype", read_ethertype},
};

int
spx_read_match(const struct spx_place *at, const struct spx_field *field, void *into)
{
	static const struct spx_keys keys = SPX_KEYS("a match", match_fields);

	(void)field;
	return spx_read_object(at, &keys, into);
}
