/* rules.*: look-ups of the classifiers in bulks of 32, against rte_acl called directly on the same rules and
 * headers; the geometric mean over the ClassBench sets of a size (rules_data.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/bench.h"
#include "perf/micro/rules_data.h"
#include "perf/reference/acl.h"

static const struct reference_acl_layout key_layout = {.proto = offsetof(struct spx_key4, proto),
	.sip = offsetof(struct spx_key4, sip),
	.dip = offsetof(struct spx_key4, dip),
	.sport = offsetof(struct spx_key4, sport),
	.dport = offsetof(struct spx_key4, dport)};

struct state {
	struct rules_data data;
	struct spx_rules *rules;
	struct reference_acl peer;
	unsigned next[2]; /* header to go on with: ours, theirs */
	uint32_t answer[BENCH_BURST];
};

static void
ours(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		spx_rules_lookup4(s->rules, &s->data.at[s->next[0]], s->answer, BENCH_BURST);
		s->next[0] = (s->next[0] + BENCH_BURST) % RULES_DATA_HEADERS;
	}
}

static inline void
peer_lookup(const struct state *s, unsigned first, uint32_t answer[BENCH_BURST])
{
	reference_acl_lookup(&s->peer, (const void *const *)&s->data.at[first], answer, BENCH_BURST);
}

static void
theirs(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		peer_lookup(s, s->next[1], s->answer);
		s->next[1] = (s->next[1] + BENCH_BURST) % RULES_DATA_HEADERS;
	}
}

/* Both have to give the same rule for every header. */
static int
compare(const struct state *s, struct spx_error *err)
{
	for (unsigned i = 0; i < RULES_DATA_HEADERS; i += BENCH_BURST) {
		uint32_t our[BENCH_BURST], their[BENCH_BURST];

		spx_rules_lookup4(s->rules, &s->data.at[i], our, BENCH_BURST);
		peer_lookup(s, i, their);
		for (unsigned k = 0; k < BENCH_BURST; k++) {
			uint32_t expected = their[k] == 0 ? SPX_ACTION_NONE : their[k] - 1;

			if (our[k] != expected)
				return spx_error(err, -EINVAL,
					"header %u: ours says rule %d, rte_acl %d (-1 = none)", i + k,
					(int)our[k], (int)expected);
		}
	}
	return 0;
}

static void
teardown(void *state)
{
	struct state *s = state;

	spx_rules_free(s->rules);
	reference_acl_free(&s->peer);
	rules_data_free(&s->data);
	free(s);
}

/* "10 sets, rte_acl avx512x32 avx512x16": every variant that was the fastest for some set. */
static void
write_note(const struct bench *b, const struct state *s, struct bench_context *c)
{
	size_t length;

	if (c->note[0] == '\0')
		snprintf(c->note, sizeof(c->note), "%u sets, rte_acl", rules_data_sets(b->size));
	length = strlen(c->note);
	if (strstr(c->note, s->peer.variant) == NULL)
		snprintf(c->note + length, sizeof(c->note) - length, " %s", s->peer.variant);
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	c->state = s;
	rc = rules_data_load(b->size, part, &s->data, err);
	if (rc == 0)
		rc = spx_rules_build(
			(enum spx_classifier)b->variant, s->data.rules.rule, s->data.rules.n, &s->rules, err);
	if (rc == 0 && !c->counting) {
		rc = reference_acl_build(&s->data.rules, &key_layout, (const void *const *)s->data.at,
			RULES_DATA_HEADERS, &s->peer, err);
		if (rc == 0)
			rc = compare(s, err);
		if (rc == 0)
			write_note(b, s, c);
	}
	if (rc < 0)
		teardown(s);
	return rc;
}

static unsigned
parts(const struct bench *b, struct spx_error *err)
{
	unsigned n = rules_data_sets(b->size);

	if (n == 0)
		spx_error(err, -ENOENT, "no rule sets in ../shared/data/rules beside the source tree");
	return n;
}

#define BENCH_RULES(name, classifier, rules)                                                                 \
	{                                                                                                    \
		.id = name, .unit = "Mops/s", .scale = BENCH_MEGA_PER_SECOND, .peer = "rte_acl",             \
		.size = (rules), .variant = (classifier), .parts = parts, .setup = setup, .ours = ours,      \
		.theirs = theirs, .teardown = teardown                                                       \
	}

static const struct bench benches[] = {
	BENCH_RULES("rules.linear.100", SPX_CLASSIFIER_LINEAR, 100),
	BENCH_RULES("rules.linear.1k", SPX_CLASSIFIER_LINEAR, 1000),
	BENCH_RULES("rules.linear.10k", SPX_CLASSIFIER_LINEAR, 10000),
	BENCH_RULES("rules.acl.100", SPX_CLASSIFIER_ACL, 100),
	BENCH_RULES("rules.acl.1k", SPX_CLASSIFIER_ACL, 1000),
	BENCH_RULES("rules.acl.10k", SPX_CLASSIFIER_ACL, 10000),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 1024});
}
