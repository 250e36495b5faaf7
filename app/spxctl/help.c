/* The table of commands with what their help says. doc/man/spxctl.1 says it at length. */
#include <string.h>

#include "app/spxctl/ctl.h"
#include "app/spxctl/words.h"

static int run_help(struct spx_ctl *ctl, int n, char **word);

const struct spx_ctl_command spx_ctl_commands[] = {
	{
		"show",
		"ports|stages|drops|cache|flows "
		"[N]|rules|routes|addresses|neighbours|queues|steer|config|version|captures|clients",
		"print counters, tables and state",
		"  --all    drops: also reasons that have not happened\n"
		"  --total  count from the start of the appliance, not from your \"clear\"\n"
		"  N        flows: how many, by bytes (20; at most 1000)\n",
		SPX_CTL_JSON | SPX_CTL_TOTAL | SPX_CTL_ALL,
		spx_ctl_show,
	},
	{
		"watch",
		"[ports|stages|drops|cache|flows]",
		"print rates per second, until Ctrl-C; without a word: ports, stages and drops",
		"  --interval SECONDS  from one to the next (1)\n"
		"  --count N           so many times\n"
		"  --json              one object a line: what was counted in the interval\n",
		SPX_CTL_JSON | SPX_CTL_INTERVAL | SPX_CTL_COUNT,
		spx_ctl_watch,
	},
	{
		"clear",
		"",
		"let your \"show\" count from now on; nothing in the appliance is cleared",
		"  --undo  let it count from the start again\n",
		SPX_CTL_UNDO,
		spx_ctl_clear,
	},
	{
		"rule",
		"add [order N] [KEY VALUE]... action NAME\ndel ORDER\nload FILE [action NAME]\nshow",
		"change the rules",
		"  KEY     family, src, dst, proto, sport, dport, vlan, port, ethertype, as in a "
		"configuration:\n"
		"          spxctl rule add order 100 proto udp dst 192.0.2.0/24 dport 1000-2000 action web\n"
		"  order   place among the rules, the first that matches counts; without: behind the last\n"
		"  load    replaces all rules by those of FILE (\"-\": standard input), JSON or ClassBench; "
		"what\n"
		"          ClassBench's rules match gets the action NAME. A mistake changes nothing.\n",
		SPX_CTL_JSON,
		spx_ctl_rule,
	},
	{
		"route",
		"add ROUTE\nreplace ROUTE\ndel PREFIX\nload FILE [replace]\nfind ADDRESS\nshow",
		"change the routes, or ask which one packets to an address take",
		"  ROUTE    in the words of iproute2, dev is a port: spxctl route add 10.0.0.0/8 via "
		"192.0.2.2\n"
		"  replace  also where the prefix has a route\n"
		"  load     adds all routes of FILE (\"-\": standard input), one a line, at once; with "
		"\"replace\" "
		"they\n"
		"           take the place of all that are there. A mistake changes nothing.\n",
		SPX_CTL_JSON,
		spx_ctl_route,
	},
	{
		"address",
		"add ADDRESS/LENGTH dev PORT\ndel ADDRESS/LENGTH dev PORT\nshow",
		"change the addresses of the appliance",
		"  The routes to the address and to its prefix come and go with it.\n",
		SPX_CTL_JSON,
		spx_ctl_address,
	},
	{
		"neighbour",
		"add ADDRESS dev PORT mac MAC\ndel ADDRESS dev PORT\nshow",
		"make neighbours permanent, or forget them",
		"",
		SPX_CTL_JSON,
		spx_ctl_neighbour,
	},
	{
		"queue",
		"set PORT [rate N] [packets N] [bytes N]\nshow",
		"change rate and limits of a shaped port",
		"  rate     kbit/s; 0: as fast as the port takes packets\n"
		"  packets  that may wait\n"
		"  bytes    of the packets that may wait\n",
		SPX_CTL_JSON,
		spx_ctl_queue,
	},
	{
		"steer",
		"add PORT [everything] [udp N]... [prefix PREFIX]...\n"
		"del PORT [everything] [udp N]... [prefix PREFIX]...\nshow",
		"change what an xdp port takes from the kernel",
		"  everything  all frames\n"
		"  udp         those to a UDP port\n"
		"  prefix      those to addresses of a prefix\n",
		SPX_CTL_JSON,
		spx_ctl_steer,
	},
	{
		"port",
		"down NAME\nup NAME",
		"let nothing out by a port, or again",
		"",
		SPX_CTL_JSON,
		spx_ctl_port,
	},
	{
		"trace",
		"[N] [FILTER...]",
		"print the way of the next N (1) packets through the appliance",
		"  FILTER       only packets that match, in the words of tcpdump: spxctl trace 10 udp port "
		"53\n"
		"  --seconds S  how long to wait for them (10)\n",
		SPX_CTL_JSON | SPX_CTL_SECONDS,
		spx_ctl_trace,
	},
	{
		"capture",
		"start [port NAME] [in|out|both] [drops] [filter EXPRESSION] [snap N] [count N] FILE\n"
		"stop [ID]\nshow",
		"write packets to a pcapng file",
		"  in, out, both  packets received, transmitted, both (default)\n"
		"  drops          packets dropped, with the reason; alone: only those\n"
		"  filter         only packets that match, in the words of tcpdump, as one argument\n"
		"  snap           bytes kept of each packet (0: all)\n"
		"  count          packets, then it ends (0: until it is stopped)\n"
		"  FILE           is created; \"-\" is standard output, until the capture ends or Ctrl-C:\n"
		"                 spxctl capture start drops - | tcpdump -nr -\n"
		"  --force        replace a FILE that is there already\n",
		SPX_CTL_JSON | SPX_CTL_FORCE,
		spx_ctl_capture,
	},
	{
		"events",
		"[condition] [rules] [capture] [stop]",
		"print what happens, as it happens; without words: all kinds",
		"  --json  one object a line\n",
		SPX_CTL_JSON,
		spx_ctl_events,
	},
	{
		"capsule",
		"send HOST count C T\nsend HOST compare V VAL OP\nsend HOST collect C V VAL OP\n"
		"send HOST rchld B ID\nsend HOST rcollect B D V ID VAL OP\nreceive",
		"send ESP instructions in UDP packets and print answers, or print capsules that come",
		"  KEY, V, C, B, D     keys of the nodes' state stores; VAL, THRESHOLD, ID: numbers (42, "
		"0x2a)\n"
		"  OP                  compare: lt, le, gt, ge, eq, ne; collect, rcollect: sum, min, max, "
		"and, or\n"
		"  --id N              computation id (0)\n"
		"  --ingress --egress  where nodes run it (ingress)\n"
		"  --local             keys of the interface, not of the node\n"
		"  --payload TEXT      goes behind the capsule\n"
		"  --count N           so many (1; receive: without end)\n"
		"  --interval SECONDS  from one to the next (1)\n"
		"  --wait SECONDS      for answers to the last (1); receive: in all\n"
		"  --port N            own UDP port (any; receive: 3322)\n"
		"  --json              one object; receive: one a line\n",
		SPX_CTL_JSON | SPX_CTL_ID | SPX_CTL_INGRESS | SPX_CTL_EGRESS | SPX_CTL_LOCAL |
			SPX_CTL_PAYLOAD | SPX_CTL_COUNT | SPX_CTL_INTERVAL | SPX_CTL_WAIT | SPX_CTL_PORT,
		spx_ctl_capsule,
	},
	{
		"stop",
		"",
		"let the appliance drain and end, and wait for that",
		"  --no-wait  do not wait\n",
		SPX_CTL_JSON | SPX_CTL_NO_WAIT,
		spx_ctl_stop,
		.whole = true,
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
	      "Words may be abbreviated, except \"stop\" of an appliance: spxctl sh dr\n",
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
