/* The command line: getopt_long into struct spx_options; see options.h. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/choices.h"
#include "app/sphex/options.h"
#include "app/sphex/options_values.h"

enum {
	TRACE = 256, /* above all characters, which are getopt's own answers */
	CONFIG,
	CHECK,
	PASSES,
	SECONDS,
	RULES,
	OUT,
	SPEED,
	WORKERS,
	BURST,
	IDLE,
	HUGEPAGES,
	CACHE,
	CONTROL,
	REPORT,
	QUIET,
	HELP,
	VERSION,
	END
};

/* In the order of the ids above. */
static const struct option long_options[] = {
	{"trace", required_argument, NULL, TRACE},
	{"config", required_argument, NULL, CONFIG},
	{"check", no_argument, NULL, CHECK},
	{"passes", required_argument, NULL, PASSES},
	{"seconds", required_argument, NULL, SECONDS},
	{"rules", required_argument, NULL, RULES},
	{"out", required_argument, NULL, OUT},
	{"speed", required_argument, NULL, SPEED},
	{"workers", required_argument, NULL, WORKERS},
	{"burst", required_argument, NULL, BURST},
	{"idle", required_argument, NULL, IDLE},
	{"hugepages", required_argument, NULL, HUGEPAGES},
	{"cache", required_argument, NULL, CACHE},
	{"control", required_argument, NULL, CONTROL},
	{"report", required_argument, NULL, REPORT},
	{"quiet", no_argument, NULL, QUIET},
	{"help", no_argument, NULL, HELP},
	{"version", no_argument, NULL, VERSION},
	{NULL, 0, NULL, 0},
};
static_assert(RTE_DIM(long_options) == END - TRACE + 1, "one option for each id");

/* Options of the quick start only: a configuration says these things itself. Sets of options are masks. */
#define ONE(id) (1u << ((id)-TRACE))
#define QUICK_ONLY                                                                                           \
	(ONE(TRACE) | ONE(PASSES) | ONE(RULES) | ONE(OUT) | ONE(SPEED) | ONE(WORKERS) | ONE(BURST) |         \
		ONE(IDLE) | ONE(HUGEPAGES))

static const char *
name_of(int id)
{
	return long_options[id - TRACE].name;
}

static int
add_trace(struct spx_options *options, const char *file, struct spx_error *err)
{
	const char **more = reallocarray(options->traces, options->n_traces + 1, sizeof(*more));

	if (more == NULL)
		return spx_error(err, -ENOMEM, "out of memory");
	options->traces = more;
	return spx_option_name(name_of(TRACE), file, &more[options->n_traces++], err);
}

static int
take_control(struct spx_options *options, const char *value, struct spx_error *err)
{
	struct spx_setup tried = {0};
	int rc = spx_option_name(name_of(CONTROL), value, &options->control, err);

	if (rc == 0)
		rc = spx_setup_control_option(&tried, value, err);
	free(tried.control.socket);
	return rc;
}

/* Tried on a setup that nobody sees: a mistake is found before any file is read. */
static int
take_cache(struct spx_options *options, const char *value, struct spx_error *err)
{
	struct spx_setup tried = {0};

	options->cache = value;
	return spx_setup_cache_option(&tried, value, err);
}

static int
take(struct spx_options *options, int id, const char *value, struct spx_error *err)
{
	static const char *const idle_words[] = {"spin", "sleep", NULL};          /* enum spx_idle */
	static const char *const hugepages_words[] = {"auto", "on", "off", NULL}; /* enum spx_hugepages */
	const char *name = name_of(id);

	switch (id) {
	case TRACE:
		return add_trace(options, value, err);
	case CONFIG:
		return spx_option_name(name, value, &options->config, err);
	case PASSES:
		return spx_option_integer(name, value, 0, 1000000000000, &options->passes, err);
	case SECONDS:
		return spx_option_seconds(name, value, &options->seconds, err);
	case RULES:
		return spx_option_name(name, value, &options->rules, err);
	case OUT:
		return spx_option_name(name, value, &options->out, err);
	case SPEED:
		return spx_option_speed(name, value, &options->speed, err);
	case WORKERS:
		return spx_option_u16(name, value, SPX_WORKERS_MAX, &options->workers, err);
	case BURST:
		return spx_option_u16(name, value, SPX_BURST_MAX, &options->burst, err);
	case IDLE:
		return spx_option_word(name, value, idle_words, (unsigned *)&options->idle, err);
	case HUGEPAGES:
		return spx_option_word(name, value, hugepages_words, (unsigned *)&options->hugepages, err);
	case CACHE:
		return take_cache(options, value, err);
	case CONTROL:
		return take_control(options, value, err);
	case REPORT:
		return spx_option_name(name, value, &options->report, err);
	}
	return 0;
}

/* A word that no option takes as its value, unless it is one of several traces. */
static int
take_word(struct spx_options *options, int option_before, const char *word, struct spx_error *err)
{
	if (option_before == TRACE)
		return add_trace(options, word, err);
	return spx_error(err, -EINVAL,
		"\"%s\": belongs to no option; traces directly after --trace expected (try --help)", word);
}

/* What getopt would not take: argv[optind - 1], or a letter of it. */
static int
refuse_option(const char *word, int answer, struct spx_error *err)
{
	struct spx_choices choices;
	char name[64];

	if (optopt >= TRACE)
		return spx_error(err, -EINVAL, "--%s: %s (try --help)", name_of(optopt),
			answer == ':' ? "has no value; one expected" : "has a value; none expected");
	if (optopt != 0)
		return spx_error(
			err, -EINVAL, "-%c: is no option; only long ones expected (try --help)", optopt);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	spx_choices_init(&choices, name + strspn(name, "-"));
	for (int id = TRACE; id < END; id++)
		spx_choices_add(&choices, name_of(id));
	return spx_error(err, -EINVAL, "%s: is no option; %s (try --help)", word, spx_choices_text(&choices));
}

static int
check_quick(struct spx_options *options, unsigned given, struct spx_error *err)
{
	if (options->n_traces == 0)
		return spx_error(
			err, -EINVAL, "nothing to do: --trace FILE or --config FILE expected (try --help)");
	if (options->check)
		return spx_error(err, -EINVAL,
			"--check: there is no configuration; --config FILE expected (try "
			"--help)");
	if ((given & ONE(PASSES)) != 0 && (given & ONE(SECONDS)) != 0)
		return spx_error(
			err, -EINVAL, "--passes: excludes --seconds; one of the two expected (try --help)");
	if ((given & ONE(SECONDS)) != 0)
		options->passes = 0;
	if (options->n_traces > 1 && spx_options_out_is_capture(options))
		return spx_error(err, -EINVAL,
			"--out: is \"%s\"; one trace expected, each run would overwrite the file (try "
			"--help)",
			options->out);
	return 0;
}

static int
check_configured(unsigned given, struct spx_error *err)
{
	for (int id = TRACE; id < END; id++)
		if ((given & QUICK_ONLY & ONE(id)) != 0)
			return spx_error(err, -EINVAL,
				"--%s: belongs to the quick start; with --config it is said in the file (try "
				"--help)",
				name_of(id));
	return 0;
}

int
spx_options_parse(struct spx_options *options, int argc, char *argv[], struct spx_error *err)
{
	int id, before = 0, rc = 0;
	unsigned given = 0;

	*options = (struct spx_options){.passes = 1, .out = "net_null0,no-rx=1", .workers = 1, .burst = 32};
	opterr = 0;
	optind = 0; /* glibc: start anew */
	while (rc == 0 && (id = getopt_long(argc, argv, "-:", long_options, NULL)) != -1) {
		if (id == 1) { /* because of "-": plain words where they stand */
			rc = take_word(options, before, optarg, err);
			continue;
		}
		if (id < TRACE)
			return refuse_option(argv[optind - 1], id, err);
		if (id == HELP)
			spx_options_help();
		if (id == VERSION)
			puts("sphex " SPX_VERSION);
		if (id == HELP || id == VERSION)
			return 1;
		options->check = options->check || id == CHECK;
		options->quiet = options->quiet || id == QUIET;
		rc = take(options, id, optarg, err);
		given |= ONE(id);
		before = id;
	}
	while (rc == 0 && optind < argc) /* behind "--" */
		rc = take_word(options, before, argv[optind++], err);
	if (rc == 0)
		rc = options->config != NULL ? check_configured(given, err)
					     : check_quick(options, given, err);
	return rc;
}

void
spx_options_free(struct spx_options *options)
{
	free(options->traces);
	*options = (struct spx_options){0};
}

bool
spx_options_out_is_capture(const struct spx_options *options)
{
	static const char suffix[] = ".pcapng";
	size_t length = strlen(options->out);

	return length >= sizeof(suffix) && strcmp(options->out + length - strlen(suffix), suffix) == 0;
}
