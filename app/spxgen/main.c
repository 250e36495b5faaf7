/* spxgen: writes the built-in trace (lib/trace, spx_generate_write) to a file.
 *
 * Exit status: 0, 1 when the file cannot be written, 2 when the command line is wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/trace/trace.h"

enum { EXIT_USAGE = 2 };

enum option_code { PACKETS = 256, FLOWS, SEED, SNAP, SCAN, FLOOD, MALFORMED, HELP, VERSION };

static const struct option options[] = {
	{"packets", required_argument, NULL, PACKETS},
	{"flows", required_argument, NULL, FLOWS},
	{"seed", required_argument, NULL, SEED},
	{"snap", required_argument, NULL, SNAP},
	{"scan", required_argument, NULL, SCAN},
	{"flood", required_argument, NULL, FLOOD},
	{"malformed", required_argument, NULL, MALFORMED},
	{"help", no_argument, NULL, HELP},
	{"version", no_argument, NULL, VERSION},
	{NULL, 0, NULL, 0},
};

static void
print_help(const struct spx_generate *defaults)
{
	printf("usage: spxgen [OPTION]... FILE\n"
	       "Writes a seeded mix of traffic to FILE as a nanosecond pcap trace.\n"
	       "The same options give the same bytes.\n\n"
	       "  --packets N    packets in all (%" PRIu64 ")\n"
	       "  --flows N      web and game flows together (%" PRIu32 ")\n"
	       "  --seed N       seed of the random numbers (%" PRIu64 ")\n"
	       "  --snap N       bytes kept of each frame, or its headers where longer (%" PRIu32 ")\n"
	       "  --scan PM      per mille of the packets: a port scan (%u)\n"
	       "  --flood PM     per mille: a flood at one host from random sources (%u)\n"
	       "  --malformed PM per mille: malformed packets of many kinds (%u)\n"
	       "  --help         this text\n"
	       "  --version      the version\n",
		defaults->packets, defaults->flows, defaults->seed, defaults->snap, defaults->scan,
		defaults->flood, defaults->malformed);
}

/* Reads the value of option `index` of the table, a whole number of min...max; false with a message when it
 * is none. */
static bool
parse_number(int index, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value >= min && *value <= max)
		return true;
	fprintf(stderr, "spxgen: --%s: '%s'; a whole number from %" PRIu64 " to %" PRIu64 " expected\n",
		options[index].name, text, min, max);
	return false;
}

/* The per mille options. */
static bool
set_share(int index, const char *text, unsigned *share)
{
	uint64_t value;

	if (!parse_number(index, text, 0, 1000, &value))
		return false;
	*share = (unsigned)value;
	return true;
}

static bool
set_32(int index, const char *text, uint32_t max, uint32_t *number)
{
	uint64_t value;

	if (!parse_number(index, text, 1, max, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

/* Applies one option with a value. How options fit together is checked by the trace library. */
static bool
set(struct spx_generate *g, int code, int index, const char *text)
{
	switch (code) {
	case PACKETS:
		return parse_number(index, text, 1, SPX_GENERATE_PACKETS_MAX, &g->packets);
	case FLOWS:
		return set_32(index, text, SPX_GENERATE_FLOWS_MAX, &g->flows);
	case SEED:
		return parse_number(index, text, 0, UINT64_MAX, &g->seed);
	case SNAP:
		return set_32(index, text, SPX_GENERATE_SNAP_MAX, &g->snap);
	case SCAN:
		return set_share(index, text, &g->scan);
	case FLOOD:
		return set_share(index, text, &g->flood);
	default:
		return set_share(index, text, &g->malformed);
	}
}

static void
show_progress(void *arg, uint64_t done)
{
	const struct spx_generate *g = arg;

	fprintf(stderr, "\r%3" PRIu64 " %%%s", done * 100 / g->packets,
		done == g->packets ? "\r     \r" : "");
}

static int
generate(struct spx_generate *g, const char *path)
{
	struct spx_error err;
	struct stat st = {0};
	int rc = spx_generate_write(g, path, isatty(STDERR_FILENO) ? show_progress : NULL, g, &err);

	if (rc != 0) {
		fprintf(stderr, "spxgen: %s\n", err.text);
		return rc == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	}
	if (stat(path, &st) != 0) {
		perror(path);
		return EXIT_FAILURE;
	}
	printf("%s: %" PRIu64 " packets, %" PRIu32 " flows, %lld bytes\n", path, g->packets, g->flows,
		(long long)st.st_size);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct spx_generate g;
	int code, index = 0;

	spx_generate_defaults(&g);
	while ((code = getopt_long(argc, argv, "", options, &index)) != -1) {
		if (code == HELP) {
			print_help(&g);
			return EXIT_SUCCESS;
		}
		if (code == VERSION) {
			printf("spxgen %s\n", SPX_VERSION);
			return EXIT_SUCCESS;
		}
		if (code == '?') {
			fprintf(stderr, "spxgen: --help lists the options\n");
			return EXIT_USAGE;
		}
		if (!set(&g, code, index, optarg))
			return EXIT_USAGE;
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "spxgen: %d file names; exactly one expected: spxgen [OPTION]... FILE\n",
			argc - optind);
		return EXIT_USAGE;
	}
	return generate(&g, argv[optind]);
}
