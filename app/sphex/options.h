/* The command line of sphex as data. setup_quick.c makes a setup of it. */
#ifndef SPX_OPTIONS_H
#define SPX_OPTIONS_H

#include "app/sphex/setup.h"

/* Strings are those of argv. */
struct spx_options {
	const char *config; /* --config, or NULL: the quick start */
	bool check;         /* --check: read the configuration, do not start */

	const char **traces; /* --trace: at least one in the quick start; the array is owned */
	size_t n_traces;
	uint64_t passes;   /* times through a trace; 0 = without end (always so with --seconds) */
	double speed;      /* 0 = top */
	const char *rules; /* or NULL */
	const char *out;   /* devargs, or a file whose name ends in .pcapng */
	uint16_t workers;  /* 1...SPX_WORKERS_MAX */
	uint16_t burst;    /* 1...SPX_BURST_MAX */
	enum spx_idle idle;
	enum spx_hugepages hugepages;

	const char *cache;   /* MODE[:KEY=VALUE,...], well formed; or NULL */
	const char *control; /* a path that fits an address, or "none"; or NULL */
	double seconds;      /* 0 = not given */
	const char *report;  /* or NULL */
	bool quiet;          /* no live table */
};

/* Reads the command line. 0; 1 when --help or --version was answered on standard output and nothing is left
 * to do; -EINVAL with one line that names option, value and what would be right; -ENOMEM. argv may be
 * reordered. Free with spx_options_free whatever it returned. Not reentrant (getopt). */
int spx_options_parse(struct spx_options *options, int argc, char *argv[], struct spx_error *err);
void spx_options_free(struct spx_options *options);

/* True when --out names a capture file rather than a device. */
bool spx_options_out_is_capture(const struct spx_options *options);

/* The text of --help, on standard output (options_help.c). */
void spx_options_help(void);

#endif
