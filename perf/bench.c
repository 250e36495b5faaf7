/* Command line and flow of a benchmark program; bench.h says how its neighbours share the work. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#include "perf/bench.h"

#define ROUNDS        25
#define ROUND_SECONDS 0.1

static const char usage[] =
	"usage: PROGRAM [options] [PREFIX]      measures the benchmarks whose ids begin with PREFIX\n"
	"  --rounds N          rounds of ours and peer in turn (25)\n"
	"  --round-seconds S   time of one side in one round (0.1)\n"
	"  --cpu N             core to run on (the highest allowed one)\n"
	"  --results FILE      rows are merged into it (build/bench/results.json)\n"
	"  --list              prints the ids\n"
	"  --table             prints the table of FILE, measures nothing\n"
	"  --count ID OPS      under callgrind: runs OPS operations of each part of ID, prints how many in "
	"all\n";

enum mode { MODE_MEASURE, MODE_LIST, MODE_TABLE, MODE_COUNT };

struct command {
	struct bench_options options;
	enum mode mode;
	const char *count_id;
	uint64_t count_ops;
};

static bool
has_prefix(const struct bench *b, const char *prefix)
{
	return strncmp(b->id, prefix, strlen(prefix)) == 0;
}

static int
highest_cpu(void)
{
	cpu_set_t allowed;
	int highest = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			highest = cpu;
	}
	return highest;
}

/* Returns false when the command line is wrong. */
static bool
parse_command(int argc, char **argv, struct command *command)
{
	static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
		{"round-seconds", required_argument, NULL, 's'}, {"cpu", required_argument, NULL, 'c'},
		{"results", required_argument, NULL, 'f'}, {"list", no_argument, NULL, 'l'},
		{"table", no_argument, NULL, 't'}, {"count", required_argument, NULL, 'n'}, {0}};
	struct bench_options *o = &command->options;
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (letter) {
		case 'r':
			o->rounds = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			o->round_seconds = strtod(optarg, NULL);
			break;
		case 'c':
			o->cpu = (int)strtol(optarg, NULL, 10);
			break;
		case 'f':
			o->results = optarg;
			break;
		case 'l':
			command->mode = MODE_LIST;
			break;
		case 't':
			command->mode = MODE_TABLE;
			break;
		case 'n':
			command->mode = MODE_COUNT;
			command->count_id = optarg;
			break;
		default:
			return false;
		}
	}
	if (command->mode == MODE_COUNT && optind < argc)
		command->count_ops = RTE_ALIGN_CEIL(strtoull(argv[optind++], NULL, 10), BENCH_BURST);
	else if (optind < argc)
		o->prefix = argv[optind++];
	return optind == argc && o->rounds > 0 && o->rounds <= BENCH_ROUNDS_MAX && o->round_seconds > 0 &&
	       (command->mode != MODE_COUNT || command->count_ops > 0);
}

/* ---- modes ----------------------------------------------------------------------------------------- */

static int
list(const struct bench_program *program, const char *prefix)
{
	for (size_t i = 0; i < program->n; i++) {
		if (has_prefix(&program->bench[i], prefix))
			puts(program->bench[i].id);
	}
	return 0;
}

static int
table(const struct bench_options *options)
{
	json_error_t at;
	json_t *rows = json_load_file(options->results, 0, &at);

	if (rows == NULL) {
		fprintf(stderr, "%s: %s\n", options->results, at.text);
		return 1;
	}
	bench_table(stdout, rows, options->prefix);
	json_decref(rows);
	return 0;
}

static void
append_note(struct bench_result *r, const char *text)
{
	size_t length = strlen(r->note);

	snprintf(r->note + length, sizeof(r->note) - length, "%s%s", length == 0 ? "" : "; ", text);
}

/* 0: merged; 1: left out; negative: failed. The results are merged after every benchmark, so a long run that
 * is interrupted keeps what it has. */
static int
measure_one(const struct bench *b, const struct bench_options *options, bool hugepages, json_t *printed,
	struct spx_error *err)
{
	struct bench_result result;
	json_t *row, *rows;
	int rc = bench_measure(b, options, &result, err);

	if (rc != 0)
		return rc;
	if (!hugepages)
		append_note(&result, "4 KiB pages");
	row = bench_row(&result);
	rows = json_pack("[O]", row);
	rc = bench_results_merge(options->results, rows, err);
	json_decref(rows);
	json_array_append_new(printed, row);
	return rc;
}

static int
measure(const struct bench_program *program, const struct bench_options *options, bool hugepages)
{
	json_t *printed = json_array();
	struct spx_error err;
	int status = 0;

	for (size_t i = 0; i < program->n; i++) {
		const struct bench *b = &program->bench[i];
		int rc;

		if (!has_prefix(b, options->prefix))
			continue;
		rc = measure_one(b, options, hugepages, printed, &err);
		if (rc > 0)
			fprintf(stderr, "%s left out: %s\n", b->id, err.text);
		else if (rc < 0) {
			fprintf(stderr, "%s failed, no row written: %s\n", b->id, err.text);
			status = 1;
		}
	}
	bench_table(stdout, printed, "");
	json_decref(printed);
	return status;
}

/* Counts ours alone, part by part. Prints the operations done, by which the caller divides callgrind's total.
 */
static int
count(const struct bench_program *program, const struct command *command, struct spx_error *err)
{
	const struct bench *b = NULL;
	unsigned parts;
	int rc = 0;

	for (size_t i = 0; i < program->n; i++) {
		if (strcmp(program->bench[i].id, command->count_id) == 0)
			b = &program->bench[i];
	}
	if (b == NULL)
		return spx_error(err, -ENOENT, "no benchmark %s here; --list names them", command->count_id);
	parts = b->parts == NULL ? 1 : b->parts(b, err);
	for (unsigned part = 0; part < parts && rc == 0; part++) {
		struct bench_context c = {.counting = true};

		rc = bench_begin(b, part, &c, err);
		if (rc < 0)
			return rc;
		bench_count_start();
		b->ours(c.state, command->count_ops);
		bench_count_stop();
		if (b->check != NULL)
			rc = b->check(c.state, err);
		bench_end(b, &c);
	}
	printf("operations %" PRIu64 "\n", parts * command->count_ops);
	return rc;
}

int
bench_main(int argc, char **argv, const struct bench_program *program)
{
	struct command command = {.options = {.prefix = "",
					  .results = "build/bench/results.json",
					  .rounds = ROUNDS,
					  .round_seconds = ROUND_SECONDS,
					  .cpu = highest_cpu()}};
	struct spx_error err;
	bool hugepages;
	int status;

	if (!parse_command(argc, argv, &command)) {
		fputs(usage, stderr);
		return 2;
	}
	if (command.mode == MODE_LIST)
		return list(program, command.options.prefix);
	if (command.mode == MODE_TABLE)
		return table(&command.options);
	if (bench_eal_start(command.options.cpu, program->memory_mb, &hugepages, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (command.mode == MODE_COUNT) {
		status = count(program, &command, &err) < 0;
		if (status != 0)
			fprintf(stderr, "%s: %s\n", command.count_id, err.text);
	} else {
		status = measure(program, &command.options, hugepages);
	}
	rte_eal_cleanup();
	return status;
}
