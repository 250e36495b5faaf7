/* The compiled classifier: librte_acl contexts over IPv4 keys and over IPv6 keys.
 *
 * rte_acl wants the first field to be one byte and the rest in groups of four bytes (rte_acl.h, struct
 * rte_acl_field_def). The keys are laid out for that: protocol, the addresses in 32-bit words, both ports in
 * one group, and the context in a last group. That last group takes every lookup four more steps through
 * bigger tries (measured: up to twice the time), so it is there only when a rule names a VLAN or a port.
 *
 * What is left of the context then is the fragment bit: a fragment has ports 0 and must not match a rule that
 * names ports. Where a range that begins with 0 would accept it, fragments are classified a second time, by a
 * context of the rules without ports.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <rte_acl.h>
#include <rte_errno.h>

#include "lib/rules/rules_internal.h"

#define FIELDS_MAX 12 /* IPv6: protocol, 4 + 4 address words, 2 ports, context */

/* Of the last group; its first byte is the protocol, which is a field already. */
#define CONTEXT_BITS UINT32_C(0xffffff)

RTE_ACL_RULE_DEF(acl_rule, FIELDS_MAX);

/* How one family's key is cut into fields. */
struct layout {
	const char *name;
	unsigned words; /* 32-bit words of an address */
	bool ports;     /* are the ports among the fields? */
	bool context;   /* is the context group? */
};

static_assert(offsetof(struct spx_key4, proto) == 12 && offsetof(struct spx_key6, proto) == 36,
	"both addresses, both ports, then protocol and context in one group");

static bool
names_context(const struct spx_match *m)
{
	return (m->fields & (SPX_MATCH_VLAN | SPX_MATCH_PORT)) != 0;
}

/* Would the rule accept a fragment by its ranges? */
static bool
takes_fragments(const struct spx_match *m)
{
	return spx_match_names_ports(m) && m->sport_low == 0 && m->dport_low == 0;
}

static void
add_field(struct rte_acl_config *config, unsigned type, unsigned size, unsigned input, unsigned offset)
{
	config->defs[config->num_fields] = (struct rte_acl_field_def){
		.type = (uint8_t)type,
		.size = (uint8_t)size,
		.field_index = (uint8_t)config->num_fields,
		.input_index = (uint8_t)input,
		.offset = offset,
	};
	config->num_fields++;
}

static void
define_fields(struct rte_acl_config *config, const struct layout *layout)
{
	const unsigned words = 2 * layout->words; /* of both addresses; 4 bytes each */
	const unsigned ports = 4 * words, proto = ports + 4;

	*config = (struct rte_acl_config){.num_categories = 1};
	add_field(config, RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, proto);
	for (unsigned i = 0; i < words; i++)
		add_field(config, RTE_ACL_FIELD_TYPE_MASK, 4, 1 + i, 4 * i);
	if (layout->ports) {
		add_field(config, RTE_ACL_FIELD_TYPE_RANGE, 2, 1 + words, ports);
		add_field(config, RTE_ACL_FIELD_TYPE_RANGE, 2, 1 + words, ports + 2);
	}
	if (layout->context)
		add_field(config, RTE_ACL_FIELD_TYPE_BITMASK, 4, 2 + words, proto);
}

/* Fields are in host order, prefixes given by their length in each word. */
static struct rte_acl_field *
set_address(struct rte_acl_field *field, const uint8_t *address, unsigned length, unsigned words)
{
	for (unsigned i = 0; i < words; i++, field++) {
		const uint8_t *b = address + 4 * i;

		field->value.u32 =
			(uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
		field->mask_range.u32 = length > 32 * i ? RTE_MIN(length - 32 * i, 32u) : 0;
	}
	return field;
}

static void
set_rule(struct acl_rule *rule, const struct spx_match *m, const struct layout *layout,
	const struct spx_tail *tail)
{
	struct rte_acl_field *field = rule->field;
	const bool proto = (m->fields & SPX_MATCH_PROTO) != 0;

	field->value.u8 = proto ? m->proto : 0;
	field->mask_range.u8 = proto ? 0xff : 0;
	field = set_address(field + 1, m->sip, m->sip_length, layout->words);
	field = set_address(field, m->dip, m->dip_length, layout->words);
	if (layout->ports) {
		field->value.u16 = m->sport_low;
		field++->mask_range.u16 = m->sport_high;
		field->value.u16 = m->dport_low;
		field++->mask_range.u16 = m->dport_high;
	}
	if (layout->context) {
		field->value.u32 = rte_be_to_cpu_32(tail->value) & CONTEXT_BITS;
		field->mask_range.u32 = rte_be_to_cpu_32(tail->mask) & CONTEXT_BITS;
	}
}

/* Adds the rules that the layout can say: all of them, or those without ports. Earlier ones have the higher
 * priority. */
static int
add_rules(struct rte_acl_ctx *ctx, const struct spx_linear *linear, const struct spx_walk *walk,
	const struct layout *layout)
{
	for (size_t i = 0; i < walk->n; i++) {
		const struct spx_match *match = &linear->rule[walk->answer[i].rule].match;
		struct acl_rule rule = {
			.data = {.category_mask = 1,
				.priority = (int32_t)(RTE_ACL_MAX_PRIORITY - i),
				.userdata = (uint32_t)i + 1},
		};
		int rc;

		if (!layout->ports && spx_match_names_ports(match))
			continue;
		set_rule(&rule, match, layout, &walk->tail[i]);
		rc = rte_acl_add_rules(ctx, (const struct rte_acl_rule *)&rule, 1);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
build_context(struct rte_acl_ctx **out, const struct spx_linear *linear, const struct spx_walk *walk,
	const struct layout *layout, struct spx_error *err)
{
	char name[RTE_ACL_NAMESIZE];
	struct rte_acl_config config;
	struct rte_acl_param param = {
		.name = name,
		.socket_id = SOCKET_ID_ANY,
		.max_rule_num = (uint32_t)walk->n,
	};
	int rc;

	define_fields(&config, layout);
	param.rule_size = RTE_ACL_RULE_SZ(config.num_fields);
	/* EAL keeps contexts by name; the address of the owner makes it unique. */
	snprintf(name, sizeof(name), "spx_%s_%zx", layout->name, (size_t)(uintptr_t)out);
	rte_errno = ENOMEM; /* which rte_acl_create does not set */
	*out = rte_acl_create(&param);
	rc = *out == NULL ? -rte_errno : add_rules(*out, linear, walk, layout);
	if (rc == 0)
		rc = rte_acl_build(*out, &config);
	if (rc == 0)
		return 0;
	rte_acl_free(*out);
	*out = NULL;
	return spx_error(err, rc,
		"librte_acl cannot compile %zu %s rules: %s; give EAL more memory (-m) or use the classifier "
		"linear",
		walk->n, layout->name, strerror(-rc));
}

static int
build_family(struct spx_acl_family *family, const struct spx_linear *linear, const struct spx_walk *walk,
	struct layout layout, struct spx_error *err)
{
	bool without_ports = false, takes = false;
	int rc;

	*family = (struct spx_acl_family){0};
	if (walk->n == 0)
		return 0;
	for (size_t i = 0; i < walk->n; i++) {
		const struct spx_match *match = &linear->rule[walk->answer[i].rule].match;

		layout.context = layout.context || names_context(match);
		takes = takes || takes_fragments(match);
		without_ports = without_ports || !spx_match_names_ports(match);
	}
	family->fragments_apart = takes && !layout.context;
	layout.ports = true;
	rc = build_context(&family->all, linear, walk, &layout, err);
	if (rc != 0 || !family->fragments_apart || !without_ports)
		return rc;
	layout.ports = false;
	return build_context(&family->fragments, linear, walk, &layout, err);
}

int
spx_acl_build(struct spx_acl *acl, const struct spx_linear *linear, struct spx_error *err)
{
	int rc = build_family(
		&acl->ipv4, linear, &linear->ipv4, (struct layout){.name = "IPv4", .words = 1}, err);

	if (rc == 0)
		rc = build_family(
			&acl->ipv6, linear, &linear->ipv6, (struct layout){.name = "IPv6", .words = 4}, err);
	if (rc != 0)
		spx_acl_free(acl);
	return rc;
}

static void
free_family(struct spx_acl_family *family)
{
	rte_acl_free(family->all);
	rte_acl_free(family->fragments);
	*family = (struct spx_acl_family){0};
}

void
spx_acl_free(struct spx_acl *acl)
{
	free_family(&acl->ipv4);
	free_family(&acl->ipv6);
}

/* ---- lookup ---------------------------------------------------------------------------------------- */

/* Classifies the fragments among the keys, whose context ends at key + length. */
static void
classify_fragments(const struct spx_acl_family *family, const uint8_t *const key[], size_t length,
	uint32_t result[], unsigned n)
{
	const uint8_t *fragment[SPX_BURST_MAX];
	uint32_t answer[SPX_BURST_MAX];
	uint8_t place[SPX_BURST_MAX];
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++) {
		if ((key[i][length - 2] & SPX_CONTEXT_FRAGMENT >> 8) == 0)
			continue;
		answer[found] = 0;
		place[found] = (uint8_t)i;
		fragment[found++] = key[i];
	}
	if (found > 0 && family->fragments != NULL)
		rte_acl_classify(family->fragments, fragment, answer, found, 1);
	for (unsigned i = 0; i < found; i++)
		result[place[i]] = answer[i];
}

void
spx_acl_classify(const struct spx_acl_family *family, const uint8_t *const key[], size_t length,
	uint32_t result[], unsigned n)
{
	rte_acl_classify(family->all, (const uint8_t **)(uintptr_t)key, result, n, 1);
	if (family->fragments_apart)
		classify_fragments(family, key, length, result, n);
}
