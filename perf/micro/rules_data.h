/* Rule sets and headers for the rules benchmarks: ClassBench files of ../shared/data/rules beside the source
 * tree, which are read and never copied. rules.c measures on them. */
#ifndef SPX_PERF_RULES_DATA_H
#define SPX_PERF_RULES_DATA_H

#include "lib/rules/rules.h"

#define RULES_DATA_HEADERS 8192u /* headers of a set: 128 KiB of keys */

struct rules_data {
	struct spx_rule_list rules;                    /* the action of a rule is its place in the list */
	struct spx_key4 key[RULES_DATA_HEADERS];       /* shuffled */
	const struct spx_key4 *at[RULES_DATA_HEADERS]; /* pointers to them, in the same order */
};

/* Number of sets for benchmarks over `size` rules: the files *_10k for 10000, *_1k for less. */
unsigned rules_data_sets(uint64_t size);

/* Loads set number i, its first `size` rules when that is below 1000. Headers: those of the set's _trace
 * file, repeated or cut to the number; without one, or for a cut set, drawn inside its rules, seeded. Free
 * with rules_data_free. 0 or a negative errno. */
int rules_data_load(uint64_t size, unsigned i, struct rules_data *data, struct spx_error *err);
void rules_data_free(struct rules_data *data);

#endif
