/* The text of --help; options.c reads what is promised here. */
#include <stdio.h>

#include "app/sphex/options.h"

void
spx_options_help(void)
{
	fputs("Usage: sphex --trace FILE... [--passes N | --seconds N] [--rules FILE] [--report OUT.json]\n"
	      "       sphex --config FILE [--check] [--seconds N] [--report OUT.json]\n"
	      "\n"
	      "A poll-mode fast path: packets come in at ports, are classified by rules, acted on, and\n"
	      "every one is accounted for.\n"
	      "\n"
	      "Quick start: replays each trace (pcap or pcapng, also gzipped) from port \"in\" to port "
	      "\"out\".\n"
	      "  --trace FILE...       traces, one run after the other\n"
	      "  --passes N            times through each trace (default 1; 0: until interrupted)\n"
	      "  --seconds N           instead of --passes: repeat each trace for N seconds\n"
	      "  --rules FILE          rules: a ClassBench file, whose matches are forwarded to \"out\", or\n"
	      "                        JSON: {\"actions\": {...}, \"rules\": {...}} as in a configuration, "
	      "where\n"
	      "                        the action \"forward\" is defined already. What no rule matches is\n"
	      "                        dropped; without --rules everything is forwarded\n"
	      "  --out DEVICE|FILE     port \"out\": DPDK device arguments (default a null port), or a file "
	      "whose\n"
	      "                        name ends in .pcapng to capture into (with one trace only)\n"
	      "  --speed top|FACTOR    as fast as possible (default), or FACTOR times the trace's own pace\n"
	      "  --workers N           worker threads (default 1, at most 32)\n"
	      "  --burst N             packets handled together (default 32, at most 64)\n"
	      "  --idle spin|sleep     what a worker without packets does (default spin)\n"
	      "  --hugepages auto|on|off\n"
	      "                        on: fail without hugepages; auto (default): use them if there are "
	      "any\n"
	      "\n"
	      "With a configuration:\n"
	      "  --config FILE         everything from a JSON file; see doc/configuration.md\n"
	      "  --check               only read FILE and report the first mistake\n"
	      "  --seconds N           stop after N seconds, whatever FILE says\n"
	      "\n"
	      "Always:\n"
	      "  --report OUT.json     write the final report as JSON; with several traces a list of "
	      "reports\n"
	      "  --quiet               no live table\n"
	      "  --help, --version     print this text or the version, and stop\n"
	      "\n"
	      "Exit status: 0 all went well; 1 a trace, port or run failed; 2 a mistake in the command "
	      "line,\n"
	      "the configuration or the rules.\n",
		stdout);
}
