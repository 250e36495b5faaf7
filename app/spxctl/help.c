/* The table of commands with what their help says. doc/man/spxctl.1 says it at length. */
#include <string.h>

#include "app/spxctl/ctl.h"
#include "app/spxctl/words.h"

static int run_help(struct spx_ctl *ctl, int n, char **word);

const struct spx_ctl_command spx_ctl_commands[] = {
	{
		"show",
		"ports|stages|drops|cache|flows [N]|rules|config|version|captures|clients",
		"print counters, tables and state",
		"  --all    drops: also reasons that have not happened\n"
		"  --total  count from the start of the appliance, not from your \"clear\"\n"
		"  N        flows: how many, by bytes (20; at most 1000)\n",
		SPX_CTL_JSON | SPX_CTL_TOTAL | SPX_CTL_ALL,
		spx_ctl_show,
	},
	{"help", "[COMMAND]", "this text, or that of a command", "", 0, run_help},
	{NULL},
};
/* "usage" has a line for each form of the command. */
static void
print_usage(const struct spx_ctl_command *command, const char *before, FILE *out)
{
	const char *form = command->usage;

	for (;;) {
		int length = (int)strcspn(form, "\n");

		fprintf(out, "%s%s%s%.*s\n", before, command->name, length > 0 ? " " : "", length, form);
		if (form[length] == '\0')
			break;
		form += length + 1;
	}
}

void
spx_ctl_help(FILE *out)
{
	fputs("usage: spxctl [OPTION]... COMMAND\n"
	      "Asks and steers a running sphex.\n\n",
		out);
	for (const struct spx_ctl_command *c = spx_ctl_commands; c->name != NULL; c++) {
		print_usage(c, "  ", out);
		fprintf(out, "        %s\n", c->text);
	}
	fputs("\n"
	      "  --socket PATH  socket of the appliance (else SPX_SOCKET, else the only one that runs)\n"
	      "  --json         print the appliance's answer as JSON\n"
	      "  --help         this text, or that of a command\n"
	      "  --version      the version\n\n"
	      "Words may be abbreviated: spxctl sh dr\n",
		out);
}

void
spx_ctl_help_command(const struct spx_ctl_command *command, FILE *out)
{
	print_usage(command, "spxctl ", out);
	fprintf(out, "    %s\n", command->text);
	if (command->more[0] != '\0')
		fprintf(out, "\n%s", command->more);
}

static int
run_help(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	int i;

	(void)ctl;
	if (n == 0) {
		spx_ctl_help(stdout);
		return SPX_CTL_OK;
	}
	i = spx_word_find("command", spx_ctl_commands, sizeof(spx_ctl_commands[0]), word[0], &err);
	if (i < 0)
		return spx_ctl_usage("%s", err.text);
	spx_ctl_help_command(&spx_ctl_commands[i], stdout);
	return SPX_CTL_OK;
}
