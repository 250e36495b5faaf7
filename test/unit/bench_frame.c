/* The benchmark frame's arithmetic and its results file; the rounds around it are measured, not tested. */
#include <criterion/criterion.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "perf/bench.h"

#define CLOSE(a, b) cr_assert(fabs((a) - (b)) < 1e-9, "%s = %.12g, not %.12g", #a, (double)(a), (double)(b))

/* ---- statistics ------------------------------------------------------------------------------------ */

Test(bench_frame, median_does_not_depend_on_order)
{
	CLOSE(bench_median((double[]){5, 1, 4, 2, 3}, 5), 3);
	CLOSE(bench_median((double[]){4, 1, 3, 2}, 4), 2.5);
	CLOSE(bench_median((double[]){7}, 1), 7);
}

Test(bench_frame, percentiles_lie_between_neighbours)
{
	double value[11];

	for (int i = 0; i < 11; i++)
		value[i] = 10 - i;
	CLOSE(bench_percentile(value, 11, 0), 0);
	CLOSE(bench_percentile(value, 11, 10), 1);
	CLOSE(bench_percentile(value, 11, 25), 2.5);
	CLOSE(bench_percentile(value, 11, 100), 10);
	CLOSE(value[0], 10);
}

Test(bench_frame, spread_is_p90_less_p10_over_median)
{
	double value[21];

	for (int i = 0; i < 21; i++)
		value[i] = 10 + i; /* p10 = 12, p90 = 28, median = 20 */
	CLOSE(bench_spread(value, 21), 0.8);
	CLOSE(bench_spread((double[]){3, 3, 3}, 3), 0);
}

/* A host that changes speed between rounds moves values, but neither ratio nor spread. */
Test(bench_frame, host_speed_is_not_in_the_ratio)
{
	const double ours[] = {20, 32, 20, 32, 20}, theirs[] = {10, 16, 10, 16, 10};
	struct bench_result r = {0};

	bench_summarise(BENCH_NS, ours, theirs, 5, &r);
	CLOSE(r.value, 20);
	CLOSE(r.peer_value, 10);
	CLOSE(r.ratio, 2);
	CLOSE(r.spread, 0);
	cr_assert_eq(r.runs, 5);
}

Test(bench_frame, mega_per_second_turns_the_ratio_round)
{
	const double ours[] = {20, 20, 20}, theirs[] = {10, 10, 10};
	struct bench_result r = {0};

	bench_summarise(BENCH_MEGA_PER_SECOND, ours, theirs, 3, &r);
	CLOSE(r.value, 50);
	CLOSE(r.peer_value, 100);
	CLOSE(r.ratio, 0.5);
}

Test(bench_frame, without_a_peer_there_is_no_ratio)
{
	const double ours[] = {10, 20, 30};
	struct bench_result r = {0};

	bench_summarise(BENCH_NS, ours, NULL, 3, &r);
	CLOSE(r.value, 20);
	CLOSE(r.spread, 0.8);
	cr_assert(isnan(r.ratio) && isnan(r.peer_value));
}

/* ---- state ----------------------------------------------------------------------------------------- */

struct bench_state {
	unsigned sets_up, size;
};

static struct bench_state last; /* as it was at teardown */

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct bench_state *s = c->state;

	s->sets_up++;
	s->size = (unsigned)b->size;
	return part == 1 ? spx_error(err, -EIO, "part 1") : 0;
}

static void
teardown(void *state)
{
	last = *(struct bench_state *)state;
}

/* Zeroed for each part, on a cache line, torn down once: by the frame when setup fails. */
Test(bench_frame, state_is_the_frames)
{
	const struct bench b = {
		.size = 7, .state_size = sizeof(struct bench_state), .setup = setup, .teardown = teardown};
	struct bench_context c = {.counting = false};
	struct spx_error err;

	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(bench_begin(&b, 0, &c, &err), 0);
		cr_assert_eq((uintptr_t)c.state % RTE_CACHE_LINE_SIZE, 0);
		last.size = 0;
		bench_end(&b, &c);
		cr_assert_eq(last.size, 7);
		cr_assert_eq(last.sets_up, 1);
	}
	last.size = 0;
	cr_assert_eq(bench_begin(&b, 1, &c, &err), -EIO);
	cr_assert_eq(last.size, 7, "torn down");
}

/* ---- results.json ---------------------------------------------------------------------------------- */

static char path[] = "/tmp/bench_frame_XXXXXX";

static void
scratch(void)
{
	int file = mkstemp(path);

	cr_assert(file >= 0);
	close(file);
	unlink(path);
}

static void
remove_scratch(void)
{
	unlink(path);
}

TestSuite(results, .init = scratch, .fini = remove_scratch);

static int
merge(const char *id, double value, struct spx_error *err)
{
	struct bench_result r = {.id = id,
		.unit = "ns",
		.value = value,
		.peer_value = NAN,
		.ratio = NAN,
		.spread = 0.01,
		.instructions = NAN,
		.runs = 25};
	json_t *rows = json_pack("[o]", bench_row(&r));
	int rc = bench_results_merge(path, rows, err);

	json_decref(rows);
	return rc;
}

static double
value_of(const json_t *rows, size_t i)
{
	return json_number_value(json_object_get(json_array_get(rows, i), "value"));
}

Test(results, a_run_replaces_only_its_own_rows)
{
	struct spx_error err;
	json_t *rows;

	cr_assert_eq(merge("net.parse", 1, &err), 0);
	cr_assert_eq(merge("rules.acl.1k", 2, &err), 0);
	cr_assert_eq(merge("net.parse", 3, &err), 0);
	rows = json_load_file(path, 0, NULL);
	cr_assert_eq(json_array_size(rows), 2);
	CLOSE(value_of(rows, 0), 3);
	CLOSE(value_of(rows, 1), 2);
	json_decref(rows);
}

Test(results, a_row_has_every_key_and_null_where_nothing_is_known)
{
	static const char *const keys[] = {"id", "value", "unit", "peer", "peer_value", "ratio", "runs",
		"spread", "instructions", "note"};
	struct bench_result r = {.id = "a",
		.unit = "ns",
		.value = 61.0049,
		.peer_value = NAN,
		.ratio = NAN,
		.spread = 0,
		.instructions = NAN,
		.runs = 25};
	json_t *row = bench_row(&r);

	cr_assert_eq(json_object_size(row), RTE_DIM(keys));
	for (size_t i = 0; i < RTE_DIM(keys); i++)
		cr_assert(json_object_get(row, keys[i]) != NULL, "%s is missing", keys[i]);
	cr_assert(json_is_null(json_object_get(row, "ratio")));
	cr_assert(json_is_null(json_object_get(row, "peer")));
	CLOSE(json_number_value(json_object_get(row, "value")), 61.005);
	json_decref(row);
}

Test(results, a_damaged_file_is_refused_and_kept)
{
	struct spx_error err;
	char text[16] = "";
	FILE *file = fopen(path, "w");

	fputs("[{\"id\"", file);
	fclose(file);
	cr_assert_lt(merge("net.parse", 1, &err), 0);
	cr_assert(strstr(err.text, path) != NULL, "the message names the file: %s", err.text);
	file = fopen(path, "r");
	cr_assert(fgets(text, sizeof(text), file) != NULL);
	fclose(file);
	cr_assert_str_eq(text, "[{\"id\"");
}
