/* results.json: a list of rows, merged by id; and the same rows as a table. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/bench.h"

/* Five digits: more is noise, and short numbers make short diffs. */
static json_t *
number(double value)
{
	char digits[32];

	if (!isfinite(value))
		return json_null();
	snprintf(digits, sizeof(digits), "%.5g", value);
	return json_real(strtod(digits, NULL));
}

json_t *
bench_row(const struct bench_result *r)
{
	return json_pack("{s:s, s:o, s:s, s:s?, s:o, s:o, s:i, s:o, s:o, s:s}", "id", r->id, "value",
		number(r->value), "unit", r->unit, "peer", r->peer, "peer_value", number(r->peer_value),
		"ratio", number(r->ratio), "runs", (int)r->runs, "spread", number(r->spread), "instructions",
		number(r->instructions), "note", r->note);
}

static const char *
text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text == NULL ? "" : text;
}

/* Replaces the row of the same id, or appends. */
static int
merge_row(json_t *all, json_t *row)
{
	json_t *old;
	size_t i;

	json_array_foreach (all, i, old) {
		if (strcmp(text_of(old, "id"), text_of(row, "id")) == 0)
			return json_array_set(all, i, row);
	}
	return json_array_append(all, row);
}

static int
load(const char *path, json_t **all, struct spx_error *err)
{
	json_error_t at;

	if (access(path, F_OK) != 0) {
		*all = json_array();
		return *all == NULL ? -ENOMEM : 0;
	}
	*all = json_load_file(path, 0, &at);
	if (*all == NULL)
		return spx_error(
			err, -EINVAL, "%s:%d: %s; remove the file to start anew", path, at.line, at.text);
	if (!json_is_array(*all)) {
		json_decref(*all);
		return spx_error(
			err, -EINVAL, "%s is not a list of rows; remove the file to start anew", path);
	}
	return 0;
}

static int
store(const char *path, const json_t *all, struct spx_error *err)
{
	char beside[4096];

	snprintf(beside, sizeof(beside), "%s.%d", path, (int)getpid());
	if (json_dump_file(all, beside, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) != 0 ||
		rename(beside, path) != 0) {
		int code = errno == 0 ? EIO : errno;

		unlink(beside);
		return spx_error(err, -code, "cannot write %s: %s", path, strerror(code));
	}
	return 0;
}

int
bench_results_merge(const char *path, json_t *rows, struct spx_error *err)
{
	json_t *all, *row;
	size_t i;
	int rc = load(path, &all, err);

	if (rc < 0)
		return rc;
	json_array_foreach (rows, i, row) {
		if (merge_row(all, row) != 0)
			rc = spx_error(err, -ENOMEM, "no memory to merge %s", path);
	}
	if (rc == 0)
		rc = store(path, all, err);
	json_decref(all);
	return rc;
}

/* A number of the row for the table: three decimals below 10, fewer above; "-" for null. */
static void
cell(char *text, size_t size, const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);
	double number_value = json_number_value(value);

	if (!json_is_number(value))
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%.*f", fabs(number_value) < 10 ? 3 : 1, number_value);
}

void
bench_table(FILE *out, const json_t *rows, const char *prefix)
{
	static const char *const columns[] = {"value", "peer_value", "ratio", "spread", "instructions"};
	const json_t *row;
	size_t i;

	fprintf(out, "%-28s %10s %-14s %-20s %10s %7s %7s %12s  %s\n", "id", "value", "unit", "peer",
		"peer_value", "ratio", "spread", "instructions", "note");
	json_array_foreach (rows, i, row) {
		char text[RTE_DIM(columns)][24];
		const char *peer = text_of(row, "peer");

		if (strncmp(text_of(row, "id"), prefix, strlen(prefix)) != 0)
			continue;
		for (size_t k = 0; k < RTE_DIM(columns); k++)
			cell(text[k], sizeof(text[k]), row, columns[k]);
		fprintf(out, "%-28s %10s %-14s %-20s %10s %7s %7s %12s  %s\n", text_of(row, "id"), text[0],
			text_of(row, "unit"), peer[0] == '\0' ? "-" : peer, text[1], text[2], text[3],
			text[4], text_of(row, "note"));
	}
}
