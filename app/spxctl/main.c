/* spxctl: asks and steers a running sphex over its control socket.
 *
 * Here is the command line; ctl.h says where the rest is. Exit status: enum in
 * ctl.h.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/ctl.h"
#include "app/spxctl/words.h"

enum { HELP = 1 << 29, VERSION }; /* above every option's bit */

/* The value is the option's bit. */
static const struct option options[] = {
	{"socket", required_argument, NULL, SPX_CTL_SOCKET},
	{"json", no_argument, NULL, SPX_CTL_JSON},
	{"total", no_argument, NULL, SPX_CTL_TOTAL},
	{"all", no_argument, NULL, SPX_CTL_ALL},
	{"force", no_argument, NULL, SPX_CTL_FORCE},
	{"undo", no_argument, NULL, SPX_CTL_UNDO},
	{"no-wait", no_argument, NULL, SPX_CTL_NO_WAIT},
	{"interval", required_argument, NULL, SPX_CTL_INTERVAL},
	{"count", required_argument, NULL, SPX_CTL_COUNT},
	{"seconds", required_argument, NULL, SPX_CTL_SECONDS},
	{"id", required_argument, NULL, SPX_CTL_ID},
	{"ingress", no_argument, NULL, SPX_CTL_INGRESS},
	{"egress", no_argument, NULL, SPX_CTL_EGRESS},
	{"local", no_argument, NULL, SPX_CTL_LOCAL},
	{"wait", required_argument, NULL, SPX_CTL_WAIT},
	{"payload", required_argument, NULL, SPX_CTL_PAYLOAD},
	{"port", required_argument, NULL, SPX_CTL_PORT},
	{"help", no_argument, NULL, HELP},
	{"version", no_argument, NULL, VERSION},
	{NULL, 0, NULL, 0},
};

/* ---- the command line ------------------------------------------------------------------------------ */

/* Options with a value; the others are only noted. */
static int
set_option(struct spx_ctl *ctl, int option, const char *value, struct spx_error *err)
{
	ctl->given |= (unsigned)option;
	switch (option) {
	case SPX_CTL_SOCKET:
		ctl->socket = value;
		return 0;
	case SPX_CTL_INTERVAL:
		return spx_word_seconds("--interval", value, 0.001, 3600, &ctl->interval, err);
	case SPX_CTL_COUNT:
		return spx_word_number("--count", value, 1, UINT32_MAX, &ctl->count, err);
	case SPX_CTL_SECONDS:
		return spx_word_seconds("--seconds", value, 0.1, 3600, &ctl->seconds, err);
	case SPX_CTL_ID:
		return spx_word_number64("--id", value, UINT64_MAX, &ctl->id, err);
	case SPX_CTL_WAIT:
		return spx_word_seconds("--wait", value, 0, 86400, &ctl->wait, err);
	case SPX_CTL_PAYLOAD:
		ctl->payload = value;
		return 0;
	case SPX_CTL_PORT:
		return spx_word_number("--port", value, 1, UINT16_MAX, &ctl->port, err);
	default:
		return 0;
	}
}

/* The word that getopt_long, which is at `code`, did not understand. */
static int
refuse_option(int code, char *const *argv)
{
	const char *word = argv[optind - 1][0] == '-' ? argv[optind - 1] : argv[optind];

	if (code == ':')
		return spx_ctl_usage("%s has no value; \"spxctl help\" lists commands and options", word);
	return spx_ctl_usage("\"%s\" is no option, or not the beginning of one alone, or takes no value; "
			     "\"spxctl help\" lists commands and options",
		word);
}

/* Options may stand anywhere. SPX_CTL_OK to go on with the words behind optind, anything else ends the
 * program. */
static int
read_options(struct spx_ctl *ctl, int argc, char **argv, bool *help, bool *version)
{
	struct spx_error err;
	int code;

	opterr = 0;
	while ((code = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (code == '?' || code == ':')
			return refuse_option(code, argv);
		if (code == HELP || code == 'h')
			*help = true;
		else if (code == VERSION)
			*version = true;
		else if (set_option(ctl, code, optarg, &err) != 0)
			return spx_ctl_usage("%s", err.text);
	}
	return SPX_CTL_OK;
}

/* An option that the command does not have is a mistake: it would be thought to have done something. */
static int
check_options(const struct spx_ctl *ctl, const struct spx_ctl_command *command)
{
	unsigned wrong = ctl->given & ~(command->options | SPX_CTL_SOCKET);

	for (const struct option *o = options; o->name != NULL; o++)
		if (o->val < HELP && (wrong & (unsigned)o->val))
			return spx_ctl_usage(
				"\"%s\" has no option --%s; \"spxctl help %s\" shows what it has",
				command->name, o->name, command->name);
	return SPX_CTL_OK;
}

static int
run_command(struct spx_ctl *ctl, int n, char **word, bool help)
{
	struct spx_error err;
	int status,
		i = spx_word_find("command", spx_ctl_commands, sizeof(spx_ctl_commands[0]), word[0], &err);

	if (i < 0)
		return spx_ctl_usage("%s", err.text);
	if (!help && spx_ctl_commands[i].whole && strcmp(word[0], spx_ctl_commands[i].name) != 0)
		return spx_ctl_usage("command: \"%s\" might be a slip; \"%s\", in full, expected", word[0],
			spx_ctl_commands[i].name);
	if (help) {
		spx_ctl_help_command(&spx_ctl_commands[i], stdout);
		return SPX_CTL_OK;
	}
	status = check_options(ctl, &spx_ctl_commands[i]);
	if (status != SPX_CTL_OK)
		return status;
	return spx_ctl_commands[i].run(ctl, n - 1, word + 1);
}

static int
run(struct spx_ctl *ctl, int argc, char **argv)
{
	bool help = false, version = false;
	int status = read_options(ctl, argc, argv, &help, &version);

	if (status != SPX_CTL_OK)
		return status;
	if (version) {
		printf("spxctl %s\n", SPX_VERSION);
		return SPX_CTL_OK;
	}
	if (optind < argc)
		return run_command(ctl, argc - optind, argv + optind, help);
	spx_ctl_help(help ? stdout : stderr);
	return help ? SPX_CTL_OK : SPX_CTL_USAGE;
}

int
main(int argc, char **argv)
{
	struct spx_ctl ctl = {.interval = 1, .wait = 1, .client.fd = -1};
	int status;

	/* Whoever stops reading (head) ends this program quietly, also where it was started with the signal
	 * ignored. */
	signal(SIGPIPE, SIG_DFL);
	status = run(&ctl, argc, argv);
	spx_client_close(&ctl.client);
	if (fflush(stdout) != 0 || ferror(stdout))
		return spx_ctl_failed("cannot write to standard output (%s)", strerror(errno));
	return status;
}
