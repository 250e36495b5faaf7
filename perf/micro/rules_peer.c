/* The rte_acl of the rules benchmarks: five fields, the widest vectors that pay. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_errno.h>

#include "perf/bench.h"
#include "perf/micro/rules_peer.h"

#define TRIALS 5 /* passes over the headers for each variant; the best counts */

enum { PROTO, SIP, DIP, SPORT, DPORT, FIELDS };

RTE_ACL_RULE_DEF(peer_rule, FIELDS);

#define FIELD(kind, index, group, member)                                                                    \
	{                                                                                                    \
		.type = RTE_ACL_FIELD_TYPE_##kind, .size = sizeof(((struct spx_key4 *)0)->member),           \
		.field_index = (index), .input_index = (group), .offset = offsetof(struct spx_key4, member)  \
	}

/* rte_acl reads the first field as one byte and the rest in groups of four. */
static const struct rte_acl_field_def fields[FIELDS] = {
	FIELD(BITMASK, PROTO, 0, proto),
	FIELD(MASK, SIP, 1, sip),
	FIELD(MASK, DIP, 2, dip),
	FIELD(RANGE, SPORT, 3, sport),
	FIELD(RANGE, DPORT, 3, dport),
};

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
trial(const struct rules_peer *peer, const struct rules_data *data)
{
	uint64_t best = UINT64_MAX;

	for (unsigned t = 0; t < TRIALS; t++) {
		uint32_t answer[BENCH_BURST];
		uint64_t start = rte_rdtsc();

		for (unsigned i = 0; i < RULES_DATA_HEADERS; i += BENCH_BURST)
			rules_peer_lookup(peer, &data->at[i], answer, BENCH_BURST);
		best = RTE_MIN(best, rte_rdtsc() - start);
	}
	return best;
}

static int
choose_variant(struct rules_peer *peer, const struct rules_data *data, struct spx_error *err)
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

		if (rte_acl_set_ctx_classify(peer->acl, variants[v].algorithm) != 0)
			continue; /* not on this machine */
		took = trial(peer, data);
		if (took < best) {
			best = took;
			chosen = v;
		}
	}
	peer->variant = variants[chosen].name;
	if (rte_acl_set_ctx_classify(peer->acl, variants[chosen].algorithm) != 0)
		return spx_error(err, -ENOTSUP, "rte_acl refuses its variant %s", peer->variant);
	return 0;
}

int
rules_peer_build(const struct rules_data *data, struct rules_peer *peer, struct spx_error *err)
{
	struct rte_acl_param param = {.name = "peer",
		.socket_id = SOCKET_ID_ANY,
		.rule_size = RTE_ACL_RULE_SZ(FIELDS),
		.max_rule_num = (uint32_t)data->rules.n};
	struct rte_acl_config config = {.num_categories = 1, .num_fields = FIELDS};
	int rc = 0;

	memcpy(config.defs, fields, sizeof(fields));
	peer->acl = rte_acl_create(&param);
	if (peer->acl == NULL)
		return spx_error(err, -rte_errno, "rte_acl_create: %s", rte_strerror(rte_errno));
	for (size_t i = 0; i < data->rules.n && rc == 0; i++)
		rc = add(peer->acl, &data->rules.rule[i].match, (uint32_t)i);
	if (rc == 0)
		rc = rte_acl_build(peer->acl, &config);
	if (rc != 0)
		spx_error(
			err, rc, "rte_acl does not compile %zu rules: %s", data->rules.n, rte_strerror(-rc));
	else
		rc = choose_variant(peer, data, err);
	if (rc != 0)
		rules_peer_free(peer);
	return rc;
}

void
rules_peer_free(struct rules_peer *peer)
{
	rte_acl_free(peer->acl);
	peer->acl = NULL;
}
