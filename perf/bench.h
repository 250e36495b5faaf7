/* The benchmark frame: one figure is a ratio against a peer, measured in the same process in turns.
 *
 * A benchmark program (perf/micro, perf/end_to_end) is a table of `struct bench` and a main that hands it to
 * bench_main. Command line and program flow are in bench.c, the rounds in measure.c, the arithmetic in
 * statistics.c, results.json and the table in results.c, the start of EAL in eal.c, the counting of
 * instructions in count.c. perf/run drives all programs; perf/README.md explains the columns.
 */
#ifndef SPX_BENCH_H
#define SPX_BENCH_H

#include <stdio.h>

#include <jansson.h>

#include "lib/base/base.h"

/* ---- a benchmark ----------------------------------------------------------------------------------- */

#define BENCH_BURST      32u /* every number of operations is a multiple of this */
#define BENCH_NOTE       160u
#define BENCH_ROUNDS_MAX 1000u

/* How nanoseconds per operation become the value of the row. */
enum bench_scale { BENCH_NS, BENCH_MEGA_PER_SECOND };

/* What setup hands to the other functions and to the row. */
struct bench_context {
	void *state;
	bool counting;         /* instructions are counted: the peer will not run and need not be built */
	char note[BENCH_NOTE]; /* goes into the row; empty at the start, the frame appends to it */
};

struct bench {
	const char *id;
	const char *unit;
	const char *peer; /* NULL: there is none, the row has no ratio */
	enum bench_scale scale;
	unsigned variant; /* the benchmark's own */
	uint64_t size;    /* the benchmark's own: flows, rules ... */

	/* The value is the geometric mean over parts (data sets), which are set up one after the other. NULL:
	 * one part. 0: what it needs is not there; err says what, and the id is left out. */
	unsigned (*parts)(const struct bench *b, struct spx_error *err);

	/* Bytes of the state: the frame hands it to setup zeroed and on a cache line, frees it after
	 * teardown, and tears down what a setup that fails has made of it. 0: setup sets context's state
	 * itself and on error frees what it made. */
	size_t state_size;

	/* Fills the state and checks it: so many flows resident, ours and peer of one mind. */
	int (*setup)(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err);

	/* `ops` operations. What goes wrong in them is remembered in the state for check. */
	void (*ours)(void *state, uint64_t ops);
	void (*theirs)(void *state, uint64_t ops);

	/* After the last round: counters add up, nothing ran dry. Negative: no row is written. May be NULL.
	 */
	int (*check)(void *state, struct spx_error *err);
	void (*teardown)(void *state);
};

struct bench_program {
	const struct bench *bench;
	size_t n;
	unsigned memory_mb; /* for EAL */
};

/* main of a benchmark program; returns its exit status. */
int bench_main(int argc, char **argv, const struct bench_program *program);

/* ---- inside the frame ------------------------------------------------------------------------------ */

struct bench_options {
	const char *prefix;   /* of the ids to run; "" = all */
	const char *results;  /* path of results.json */
	unsigned rounds;      /* default 25 */
	double round_seconds; /* of one side in one round; default 0.1 */
	int cpu;              /* default the highest allowed one */
};

/* A row of results.json. NAN = null. */
struct bench_result {
	const char *id, *unit, *peer;
	double value, peer_value, ratio, spread, instructions;
	unsigned runs;
	char note[BENCH_NOTE];
};

/* 0: r is filled; 1: left out, err says why; negative: failed, err says why. */
int bench_measure(const struct bench *b, const struct bench_options *options, struct bench_result *r,
	struct spx_error *err);

/* Setup and teardown of a part, with the state's memory. */
int bench_begin(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err);
void bench_end(const struct bench *b, struct bench_context *c);

/* Calibrates a side: how many operations take about `seconds`. */
uint64_t bench_calibrate(void (*side)(void *state, uint64_t ops), void *state, double seconds);

/* statistics.c. Values are not changed; n = 1...BENCH_ROUNDS_MAX; percent 0...100, linear between neighbours.
 */
double bench_percentile(const double *value, size_t n, double percent);
double bench_median(const double *value, size_t n);
/* (p90 - p10) / median. */
double bench_spread(const double *value, size_t n);

/* Fills value, peer_value, ratio, spread, runs from the rounds' nanoseconds per operation. theirs may be
 * NULL. */
void bench_summarise(enum bench_scale scale, const double *ours, const double *theirs, unsigned rounds,
	struct bench_result *r);

/* results.c. A row as JSON; the file with the rows of the same ids replaced (a missing file is an empty
 * list), written beside and renamed. */
json_t *bench_row(const struct bench_result *r);
int bench_results_merge(const char *path, json_t *rows, struct spx_error *err);
/* Prints the rows whose ids begin with prefix as a table. */
void bench_table(FILE *out, const json_t *rows, const char *prefix);

/* eal.c. Starts EAL on that CPU, with hugepages when enough are free; *hugepages says which. */
int bench_eal_start(int cpu, unsigned memory_mb, bool *hugepages, struct spx_error *err);

/* count.c. True under valgrind; then start and stop enclose what callgrind counts. */
bool bench_count_possible(void);
void bench_count_start(void);
void bench_count_stop(void);

#endif
