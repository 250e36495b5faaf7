/* rte_acl for the benchmarks: five fields, the widest vectors that pay. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_errno.h>

#include "perf/reference/acl.h"

#define TRIALS 5 /* passes over the headers for each variant; the best counts */

enum { PROTO, SIP, DIP, SPORT, DPORT, FIELDS };

RTE_ACL_RULE_DEF(peer_rule, FIELDS);

#define FIELD(kind, index, group, member)                                                                    \
	{                                                                                                    \
		.type = RTE_ACL_FIELD_TYPE_##kind, .size = sizeof(((struct spx_key4 *)0)->member),           \
		.field_index = (index), .input_index = (group), .offset = layout->member                     \
	}

/* rte_acl reads the first field as one byte and the rest in groups of four. */
static void
fill_config(const struct reference_acl_layout *layout, struct rte_acl_config *config)
{
	const struct rte_acl_field_def fields[FIELDS] = {
		FIELD(BITMASK, PROTO, 0, proto),
		FIELD(MASK, SIP, 1, sip),
		FIELD(MASK, DIP, 2, dip),
		FIELD(RANGE, SPORT, 3, sport),
		FIELD(RANGE, DPORT, 3, dport),
	};

	*config = (struct rte_acl_config){.num_categories = 1, .num_fields = FIELDS};
	memcpy(config->defs, fields, sizeof(fields));
}

static uint32_t
address(const uint8_t bytes[4])
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return rte_be_to_cpu_32(word);
}

static int
add(struct rte_acl_ctx *acl, const struct spx_match *m, uint32_t index)
{
	bool proto = (m->fields & SPX_MATCH_PROTO) != 0;
	struct peer_rule rule = {.data = {.category_mask = 1,
					 .priority = (int32_t)(RTE_ACL_MAX_PRIORITY - index),
					 .userdata = index + 1}};

	rule.field[PROTO] = (struct rte_acl_field){
		.value.u8 = proto ? m->proto : 0, .mask_range.u8 = proto ? UINT8_MAX : 0};
	rule.field[SIP] =
		(struct rte_acl_field){.value.u32 = address(m->sip), .mask_range.u32 = m->sip_length};
	rule.field[DIP] =
		(struct rte_acl_field){.value.u32 = address(m->dip), .mask_range.u32 = m->dip_length};
	rule.field[SPORT] =
		(struct rte_acl_field){.value.u16 = m->sport_low, .mask_range.u16 = m->sport_high};
	rule.field[DPORT] =
		(struct rte_acl_field){.value.u16 = m->dport_low, .mask_range.u16 = m->dport_high};
	return rte_acl_add_rules(acl, (const struct rte_acl_rule *)&rule, 1);
}

static uint64_t
trial(const struct reference_acl *acl, const void *const header[], unsigned n)
{
	uint64_t best = UINT64_MAX;

	for (unsigned t = 0; t < TRIALS; t++) {
		uint32_t answer[REFERENCE_ACL_BURST];
		uint64_t start = rte_rdtsc();

		for (unsigned i = 0; i < n; i += REFERENCE_ACL_BURST)
			reference_acl_lookup(acl, &header[i], answer, REFERENCE_ACL_BURST);
		best = RTE_MIN(best, rte_rdtsc() - start);
	}
	return best;
}

static int
choose_variant(struct reference_acl *acl, const void *const header[], unsigned n, struct spx_error *err)
{
	static const struct {
		enum rte_acl_classify_alg algorithm;
		const char *name;
	} variants[] = {{RTE_ACL_CLASSIFY_SCALAR, "scalar"}, {RTE_ACL_CLASSIFY_SSE, "sse"},
		{RTE_ACL_CLASSIFY_AVX2, "avx2"}, {RTE_ACL_CLASSIFY_AVX512X16, "avx512x16"},
		{RTE_ACL_CLASSIFY_AVX512X32, "avx512x32"}};
	uint64_t best = UINT64_MAX;
	unsigned chosen = 0;

	for (unsigned v = 0; v < RTE_DIM(variants); v++) {
		uint64_t took;

		if (rte_acl_set_ctx_classify(acl->acl, variants[v].algorithm) != 0)
			continue; /* not on this machine */
		took = trial(acl, header, n);
		if (took < best) {
			best = took;
			chosen = v;
		}
	}
	acl->variant = variants[chosen].name;
	if (rte_acl_set_ctx_classify(acl->acl, variants[chosen].algorithm) != 0)
		return spx_error(err, -ENOTSUP, "rte_acl refuses its variant %s", acl->variant);
	return 0;
}

int
reference_acl_build(const struct spx_rule_list *rules, const struct reference_acl_layout *layout,
	const void *const header[], unsigned n_headers, struct reference_acl *acl, struct spx_error *err)
{
	struct rte_acl_param param = {.name = "peer",
		.socket_id = SOCKET_ID_ANY,
		.rule_size = RTE_ACL_RULE_SZ(FIELDS),
		.max_rule_num = (uint32_t)rules->n};
	struct rte_acl_config config;
	int rc = 0;

	fill_config(layout, &config);
	acl->acl = rte_acl_create(&param);
	if (acl->acl == NULL)
		return spx_error(err, -rte_errno, "rte_acl_create: %s", rte_strerror(rte_errno));
	for (size_t i = 0; i < rules->n && rc == 0; i++)
		rc = add(acl->acl, &rules->rule[i].match, (uint32_t)i);
	if (rc == 0)
		rc = rte_acl_build(acl->acl, &config);
	if (rc != 0)
		spx_error(err, rc, "rte_acl does not compile %zu rules: %s", rules->n, rte_strerror(-rc));
	else
		rc = choose_variant(acl, header, n_headers, err);
	if (rc != 0)
		reference_acl_free(acl);
	return rc;
}

void
reference_acl_free(struct reference_acl *acl)
{
	rte_acl_free(acl->acl);
	acl->acl = NULL;
}
