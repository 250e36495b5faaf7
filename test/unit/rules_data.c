/* acl = linear on every rule set of ../shared/data/rules, with the headers of its trace and 200,000 more:
 * half of them random, half drawn inside rules; and the same on generated IPv6 sets. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "test/common/rule_sets.h"
#include "test/unit/rules_model.h"

#define DIRECTORY "../shared/data/rules" /* from the project's root, where the test runs */
#define HEADERS   100000u                /* of each kind */
#define BURST     32u

static void
setup(void)
{
	start_eal(1024);
}

TestSuite(rules_data, .init = setup, .timeout = 600);

struct pair {
	const char *name;
	struct spx_rules *acl, *linear;
	size_t compared;
};

static void
build(struct pair *pair, const char *name, const struct spx_rule_list *list)
{
	struct spx_error err;

	*pair = (struct pair){.name = name};
	cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_ACL, list->rule, list->n, &pair->acl, &err), 0, "%s: %s",
		name, err.text);
	cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_LINEAR, list->rule, list->n, &pair->linear, &err), 0,
		"%s: %s", name, err.text);
}

static void
finish(struct pair *pair)
{
	spx_rules_free(pair->acl);
	spx_rules_free(pair->linear);
	cr_log_info("%s: %zu headers agree\n", pair->name, pair->compared);
}

static void
compare4(struct pair *pair, const struct spx_key4 *key, unsigned n)
{
	const struct spx_key4 *keys[BURST] = {NULL};
	uint32_t a[BURST], l[BURST];

	for (unsigned i = 0; i < n; i++)
		keys[i] = &key[i];
	spx_rules_lookup4(pair->acl, keys, a, n);
	spx_rules_lookup4(pair->linear, keys, l, n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(a[i], l[i], "%s: acl says rule %u, linear %u", pair->name, a[i], l[i]);
	pair->compared += n;
}

static void
compare6(struct pair *pair, const struct spx_key6 *key, unsigned n)
{
	const struct spx_key6 *keys[BURST] = {NULL};
	uint32_t a[BURST], l[BURST];

	for (unsigned i = 0; i < n; i++)
		keys[i] = &key[i];
	spx_rules_lookup6(pair->acl, keys, a, n);
	spx_rules_lookup6(pair->linear, keys, l, n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(a[i], l[i], "%s: acl says rule %u, linear %u", pair->name, a[i], l[i]);
	pair->compared += n;
}

/* ---- IPv4: published sets -------------------------------------------------------------------------- */

static void
put32(uint8_t *out, unsigned long value)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* sip dip sport dport proto flags rule: the first five count. */
static bool
read_header(const char *line, struct spx_key4 *key)
{
	unsigned long sip, dip;
	unsigned sport, dport, proto;

	if (sscanf(line, "%lu %lu %u %u %u", &sip, &dip, &sport, &dport, &proto) != 5)
		return false;
	memset(key, 0, sizeof(*key));
	put32(key->sip, sip);
	put32(key->dip, dip);
	key->sport[0] = (uint8_t)(sport >> 8);
	key->sport[1] = (uint8_t)sport;
	key->dport[0] = (uint8_t)(dport >> 8);
	key->dport[1] = (uint8_t)dport;
	key->proto = (uint8_t)proto;
	return true;
}

static void
compare_trace(struct pair *pair, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];
	struct spx_key4 key[BURST];
	unsigned n = 0;

	if (file == NULL)
		return; /* not every set has one */
	while (fgets(line, sizeof(line), file) != NULL) {
		cr_assert(read_header(line, &key[n]), "%s: %s", path, line);
		if (++n == BURST) {
			compare4(pair, key, n);
			n = 0;
		}
	}
	compare4(pair, key, n);
	fclose(file);
	cr_assert_gt(pair->compared, 0, "%s is empty", path);
}

/* Every eighth of the random ones is a fragment. */
static void
compare_random4(struct pair *pair, const struct spx_rule_list *list)
{
	uint64_t random = list->n;

	for (unsigned done = 0; done < 2 * HEADERS; done += BURST) {
		struct spx_key4 key[BURST];

		for (unsigned i = 0; i < BURST; i++) {
			if (i % 2 == 0)
				rule_sets_random_key4(&random, &key[i]);
			else
				rule_sets_key4(&list->rule[spx_random(&random) % list->n], &random, &key[i]);
			if (i % 16 == 0) {
				memset(key[i].sport, 0, 4);
				key[i].context[1] |= SPX_CONTEXT_FRAGMENT >> 8;
			}
		}
		compare4(pair, key, BURST);
	}
}

static void
check_set(const char *path)
{
	struct spx_rule_list list = {0};
	struct spx_error err;
	struct pair pair;
	char trace[600];

	cr_assert_eq(spx_rules_read_classbench(path, 1, 0, &list, NULL, &err), 0, "%s", err.text);
	for (size_t i = 0; i < list.n; i++)
		list.rule[i].action = list.rule[i].order; /* so an answer names the rule */
	build(&pair, path, &list);
	snprintf(trace, sizeof(trace), "%s_trace", path);
	compare_trace(&pair, trace);
	compare_random4(&pair, &list);
	finish(&pair);
	spx_rule_list_free(&list);
}

static bool
is_set(const char *name)
{
	const char *trace = strstr(name, "_trace");

	return name[0] != '.' && trace == NULL && strcmp(name, "LICENSE") != 0 &&
	       strstr(name, "README") == NULL && strstr(name, "_seed") == NULL;
}

static unsigned
check_directory(const char *directory)
{
	struct dirent **entry;
	int n = scandir(directory, &entry, NULL, alphasort);
	unsigned sets = 0;

	for (int i = 0; i < n; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", directory, entry[i]->d_name);
		if (is_set(entry[i]->d_name)) {
			check_set(path);
			sets++;
		}
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	return sets;
}

Test(rules_data, acl_is_linear_on_published_sets)
{
	static const char *const directories[] = {
		DIRECTORY "/neurocuts", DIRECTORY "/cutsplit", DIRECTORY "/tuplemerge"};
	unsigned sets = 0;

	if (access(DIRECTORY, R_OK) != 0)
		cr_skip("skipped: no ../shared/data");
	for (size_t i = 0; i < RTE_DIM(directories); i++)
		sets += check_directory(directories[i]);
	cr_assert_gt(sets, 0);
}

/* ---- IPv6: generated sets -------------------------------------------------------------------------- */

Test(rules_data, acl_is_linear_on_generated_ipv6_sets)
{
	static const size_t sizes[] = {100, 1000, 3000, 10000};

	for (size_t s = 0; s < RTE_DIM(sizes); s++) {
		struct spx_rule_list list = {0};
		struct pair pair;
		uint64_t random = s;

		cr_assert_eq(rule_sets_generate(SPX_FAMILY_IPV6, sizes[s], s + 1, &list), 0);
		build(&pair, "generated", &list);
		for (unsigned done = 0; done < 2 * HEADERS; done += BURST) {
			struct spx_key6 key[BURST];

			for (unsigned i = 0; i < BURST; i++) {
				if (i % 2 == 0)
					rule_sets_random_key6(&random, &key[i]);
				else
					rule_sets_key6(
						&list.rule[spx_random(&random) % list.n], &random, &key[i]);
				if (i % 16 == 0) {
					memset(key[i].sport, 0, 4);
					key[i].context[1] |= SPX_CONTEXT_FRAGMENT >> 8;
				}
			}
			compare6(&pair, key, BURST);
		}
		finish(&pair);
		spx_rule_list_free(&list);
	}
}
