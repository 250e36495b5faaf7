/* What the command line and the configuration file ask for: plain data, before anything is opened.
 *
 * setup_quick.c fills it from the command line (options.h), setup_document.c and its neighbours from JSON;
 * eal.c and appliance.c open what it says.
 * Everything in it is owned by the setup and freed by spx_setup_free.
 */
#ifndef SPX_SETUP_H
#define SPX_SETUP_H

#include "lib/base/base.h"
#include "lib/rules/rules.h"

enum spx_hugepages { SPX_HUGEPAGES_AUTO, SPX_HUGEPAGES_ON, SPX_HUGEPAGES_OFF };
enum spx_idle { SPX_IDLE_SPIN, SPX_IDLE_SLEEP };

struct spx_setup_port {
	char name[SPX_NAME_MAX];
	char driver[SPX_NAME_MAX];
	char *device;         /* ethdev: devargs */
	char *file;           /* replay, capture */
	uint32_t max_frame;   /* bytes without FCS; default 2048 for replay and capture, 1522 for ethdev */
	bool verify_checksum; /* default true for ethdev, false for replay (anonymised traces) */
	bool promiscuous;     /* ethdev, default true */
	uint16_t rx_descriptors, tx_descriptors; /* ethdev, 0 = the driver's choice */
	uint64_t passes;                         /* replay, default 1, 0 = without end */
	double speed;                            /* replay, 0 = top speed (default) */
	uint32_t snap;                           /* capture */
};

struct spx_setup_action {
	char name[SPX_NAME_MAX];
	struct spx_action action;
};

struct spx_setup {
	/* eal */
	enum spx_hugepages hugepages;
	uint32_t memory_mb; /* default 512 */
	uint32_t mbufs;     /* default 16384 */

	/* workers */
	uint16_t workers;                /* default 1 */
	int worker_cpu[SPX_WORKERS_MAX]; /* -1 = chosen at start */
	enum spx_idle worker_idle;       /* default spin */
	uint16_t burst;                  /* 1...64, default 32 */

	/* slow path */
	int slowpath_cpu;                     /* -1 = chosen at start */
	uint32_t exception_ring, inject_ring; /* entries, powers of two; default 1024 */

	uint64_t hash_seed; /* 0 = secret drawn at start */
	double seconds;     /* stop after; 0 = run until told or until every replay has ended */
	char *report;       /* path of the JSON report, or NULL */

	struct spx_setup_port *port;
	uint16_t n_ports;

	struct spx_setup_action *action; /* index = action id; [0] is the default action */
	uint32_t n_actions;
	enum spx_classifier classifier; /* default acl */
	struct spx_rule_list rules;
};

/* Defaults for everything but ports; action[0] = drop with SPX_ACTION_NO_RULE. 0 or -ENOMEM. */
int spx_setup_init(struct spx_setup *setup);
void spx_setup_free(struct spx_setup *setup);

/* Appends a port or an action and returns a pointer into the setup (valid until the next append), NULL for
 * want of memory. */
struct spx_setup_port *spx_setup_add_port(struct spx_setup *setup, const char *name, const char *driver);
struct spx_setup_action *spx_setup_add_action(struct spx_setup *setup, const char *name);

/* Index of the port with that name, or SPX_NO_PORT. */
uint16_t spx_setup_find_port(const struct spx_setup *setup, const char *name);

/* Fills an initialised setup from a JSON file or text. The first mistake goes to err: file, JSON path (such
 * as
 * $.ports[1].driver), what is wrong and what would be right; what was filled until then is freed with the
 * setup. File names inside count from the configuration file's folder. Text from memory has no folder: its
 * file names stay as they are, and a "classbench" entry is refused, so no file is ever opened. 0 or -EINVAL,
 * -ENOMEM, or what opening a file said. */
int spx_setup_read(struct spx_setup *setup, const char *path, struct spx_error *err);
int spx_setup_parse(
	struct spx_setup *setup, const char *name, const char *text, size_t length, struct spx_error *err);

/* Reads a rule file for the quick start into a setup that has its ports: ClassBench (every rule gets the
 * action id `action`), or JSON (first character { or [): an object with the sections "actions" and "rules" of
 * a configuration. Its actions come after those the setup has, whose names its rules may use. */
int spx_setup_read_rules(struct spx_setup *setup, const char *path, uint32_t action, struct spx_error *err);

/* The quick start's setup for one trace, from nothing: port 0 "in" replays the trace, port 1 "out" is the
 * output, action 1 "forward" sends to it and counts. Without rules action 0, the default, forwards there too;
 * with rules what no rule matches is dropped, unless the rule file says otherwise. 0 or a negative errno; the
 * setup is freed by the caller in either case. */
struct spx_options;
int spx_setup_quick(
	struct spx_setup *setup, const struct spx_options *options, const char *trace, struct spx_error *err);

/* The setup of --config: the file, and over it what the command line says of seconds and report. The same. */
int spx_setup_configured(struct spx_setup *setup, const struct spx_options *options, struct spx_error *err);

#endif
