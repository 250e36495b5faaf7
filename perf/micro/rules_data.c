/* Finds and reads the rule sets of the rules benchmarks; rules_data.h says which. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "perf/micro/rules_data.h"
#include "test/common/rule_sets.h"

#define HEADER_SEED  3
#define SHUFFLE_SEED 4
#define WHOLE_SET    1000 /* below it a set is cut */

static void
find(uint64_t size, glob_t *files)
{
	const char *suffix = size > WHOLE_SET ? "_10k" : "_1k";
	char pattern[2][512];

	snprintf(pattern[0], sizeof(pattern[0]), "%s/neurocuts/*%s", RULES_DATA, suffix);
	snprintf(pattern[1], sizeof(pattern[1]), "%s/cutsplit/*%s", RULES_DATA, suffix);
	glob(pattern[0], 0, NULL, files);
	glob(pattern[1], GLOB_APPEND, NULL, files);
}

unsigned
rules_data_sets(uint64_t size)
{
	glob_t files = {0};
	unsigned n;

	find(size, &files);
	n = (unsigned)files.gl_pathc;
	globfree(&files);
	return n;
}

/* ---- headers --------------------------------------------------------------------------------------- */

/* A line of a _trace file: sip dip sport dport proto flags rule. */
static bool
read_header(FILE *file, struct spx_key4 *key)
{
	uint32_t sip, dip;
	uint16_t sport, dport;

	if (fscanf(file, "%" SCNu32 "%" SCNu32 "%" SCNu16 "%" SCNu16 "%" SCNu8 "%*[^\n]", &sip, &dip, &sport,
		    &dport, &key->proto) != 5)
		return false;
	sip = rte_cpu_to_be_32(sip);
	dip = rte_cpu_to_be_32(dip);
	sport = rte_cpu_to_be_16(sport);
	dport = rte_cpu_to_be_16(dport);
	memcpy(key->sip, &sip, sizeof(sip));
	memcpy(key->dip, &dip, sizeof(dip));
	memcpy(key->sport, &sport, sizeof(sport));
	memcpy(key->dport, &dport, sizeof(dport));
	return true;
}

/* Reads the headers of a trace, from its start again until there are enough. False when it has none. */
static bool
read_headers(const char *trace, struct spx_key4 *key)
{
	FILE *file = fopen(trace, "r");
	unsigned n = 0;

	if (file == NULL)
		return false;
	while (n < RULES_DATA_HEADERS) {
		if (read_header(file, &key[n]))
			n++;
		else if (n == 0)
			break;
		else
			rewind(file);
	}
	fclose(file);
	return n == RULES_DATA_HEADERS;
}

static void
draw_headers(struct rules_data *data)
{
	uint64_t random = HEADER_SEED;

	for (unsigned i = 0; i < RULES_DATA_HEADERS; i++)
		rule_sets_key4(
			&data->rules.rule[spx_random(&random) % data->rules.n], &random, &data->key[i]);
}

/* Fisher and Yates, seeded: neighbours in a trace come from the same rule. */
static void
shuffle(struct spx_key4 *key)
{
	uint64_t random = SHUFFLE_SEED;

	for (unsigned i = RULES_DATA_HEADERS - 1; i > 0; i--) {
		unsigned k = (unsigned)(spx_random(&random) % (i + 1));
		struct spx_key4 other = key[k];

		key[k] = key[i];
		key[i] = other;
	}
}

/* ---- sets ------------------------------------------------------------------------------------------ */

static int
load_file(const char *path, uint64_t size, struct rules_data *data, struct spx_error *err)
{
	char trace[512];
	int rc = spx_rules_read_classbench(path, 1, 0, &data->rules, NULL, err);

	if (rc < 0)
		return rc;
	if (size < WHOLE_SET && data->rules.n > size)
		data->rules.n = size;
	for (size_t i = 0; i < data->rules.n; i++)
		data->rules.rule[i].action = (uint32_t)i;
	data->key = calloc(RULES_DATA_HEADERS, sizeof(*data->key));
	data->at = calloc(RULES_DATA_HEADERS, sizeof(*data->at));
	if (data->key == NULL || data->at == NULL)
		return spx_error(err, -ENOMEM, "no memory for the headers of %s", path);
	snprintf(trace, sizeof(trace), "%s_trace", path);
	if (size < WHOLE_SET || !read_headers(trace, data->key))
		draw_headers(data);
	shuffle(data->key);
	for (unsigned i = 0; i < RULES_DATA_HEADERS; i++)
		data->at[i] = &data->key[i];
	return 0;
}

int
rules_data_load(uint64_t size, unsigned i, struct rules_data *data, struct spx_error *err)
{
	glob_t files = {0};
	int rc;

	*data = (struct rules_data){0};
	find(size, &files);
	rc = i < files.gl_pathc ? load_file(files.gl_pathv[i], size, data, err)
				: spx_error(err, -ENOENT, "there is no rule set %u in %s", i, RULES_DATA);
	globfree(&files);
	if (rc < 0)
		rules_data_free(data);
	return rc;
}

void
rules_data_free(struct rules_data *data)
{
	spx_rule_list_free(&data->rules);
	free(data->key);
	free(data->at);
	*data = (struct rules_data){0};
}
