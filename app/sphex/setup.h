/* What the command line and the configuration file ask for: plain data, before anything is opened.
 *
 * setup_quick.c fills it from the command line (options.h), setup_document.c and its neighbours from JSON;
 * eal.c and appliance_ports.c open what it says.
 * Everything in it is owned by the setup and freed by spx_setup_free.
 */
#ifndef SPX_SETUP_H
#define SPX_SETUP_H

#include <sys/types.h>

#include "drivers/xdp/xdp.h"
#include "lib/base/base.h"
#include "lib/flow/flow.h"
#include "lib/queue/queue.h"
#include "lib/route/route.h"
#include "lib/rules/rules.h"

enum spx_hugepages { SPX_HUGEPAGES_AUTO, SPX_HUGEPAGES_ON, SPX_HUGEPAGES_OFF };
enum spx_idle { SPX_IDLE_SPIN, SPX_IDLE_SLEEP };

/* The queue of a port that sends; without one the port is not shaped. */
struct spx_setup_queue {
	bool wanted;
	struct spx_queue_options options; /* default 1000 packets, 1000000 bytes; the rate is given */
};

struct spx_setup_port {
	char name[SPX_NAME_MAX];
	char driver[SPX_NAME_MAX];
	char *device;         /* ethdev: devargs */
	char *file;           /* replay, capture */
	uint32_t max_frame;   /* bytes without FCS; default 2048 for replay and capture, 1522 for devices */
	bool verify_checksum; /* default true for devices, false for replay (anonymised traces) */
	bool promiscuous;     /* ethdev and xdp, default true */
	uint16_t mtu; /* bytes of an IP packet that goes out, default 1500; the device's, if that is less */
	unsigned reverse_path;                   /* enum spx_reverse_path, default off */
	uint16_t rx_descriptors, tx_descriptors; /* ethdev, 0 = the driver's choice */
	uint64_t passes;                         /* replay, default 1, 0 = without end */
	double speed;                            /* replay, 0 = top speed (default) */
	uint32_t snap;                           /* capture */
	struct spx_setup_queue queue;            /* ethdev, capture */
	char *interface;                         /* xdp */
	uint16_t queues;                         /* xdp, 0 = all that the interface has (default) */
	enum spx_xdp_mode mode;                  /* xdp, default auto */
	struct spx_xdp_target *target;           /* xdp: what is ours; default everything */
	uint32_t n_targets;
};

/* A neighbour whose MAC address is known beforehand. */
struct spx_setup_neighbour {
	uint8_t family; /* enum spx_route_family */
	uint16_t port;
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES];
	uint8_t mac[6];
};

struct spx_setup_action {
	char name[SPX_NAME_MAX];
	struct spx_action action;
};

/* The flow cache of each worker (lib/flow/flow.h says what the parts are). */
struct spx_setup_cache {
	enum spx_flow_mode mode;     /* default layered */
	uint64_t entries;            /* IPv4 flows of the exact cache, default 65536 */
	uint64_t entries6;           /* IPv6 flows, default a quarter of entries */
	uint16_t ways;               /* default 16 */
	double p;                    /* default 0.001 */
	uint64_t flows;              /* that a filter holds, default twice entries */
	enum spx_flow_ageing ageing; /* default double-buffered, in mode approximate cold */
	double idle_seconds;         /* default 60; 0 = never */
	uint64_t flood_guard; /* new flows a second, default 1000000, in the quick start 0; 0 = no guard */
};

/* Who may ask a running appliance, and where (doc/control.md). */
enum spx_readers { SPX_READERS_ANYONE, SPX_READERS_NONE };

struct spx_setup_control {
	char *socket; /* path; NULL: PID.sock in the run directory */
	bool off;     /* no socket */
	enum spx_readers readers;
	uid_t *operators; /* besides root and the user that sphex runs as */
	uint32_t n_operators;
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
	uint32_t flow_ring;                   /* of each worker's ended flows; default 4096 */
	uint16_t local_port; /* where packets for this node go that sphex does not answer itself; SPX_NO_PORT:
				none */

	struct spx_setup_cache cache;
	struct spx_setup_control control;

	uint64_t hash_seed; /* 0 = secret drawn at start */
	double seconds;     /* stop after; 0 = run until told or until every replay has ended */
	char *report;       /* path of the JSON report, or NULL */

	struct spx_setup_port *port;
	uint16_t n_ports;

	struct spx_setup_action *action; /* index = action id; [0] is the default action */
	uint32_t n_actions;
	struct spx_address *address; /* of this node, on its ports */
	size_t n_addresses;
	struct spx_route_list routes; /* operations ADD */
	struct spx_setup_neighbour *neighbour;
	size_t n_neighbours;

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

/* Id of the action with that name, or SPX_ACTION_NONE; the default, action 0, has none that can be said. */
uint32_t spx_setup_find_action(const struct spx_setup *setup, const char *name);

/* Whether the default is what "default" of "rules" makes of that action; the first action of which it is, by
 * name, or NULL: the default drop that nobody asked for, or one that only a quick start has. */
bool spx_setup_is_default(const struct spx_setup *setup, uint32_t id);
const char *spx_setup_default(const struct spx_setup *setup);

/* Index of the port with that name, or SPX_NO_PORT. */
uint16_t spx_setup_find_port(const struct spx_setup *setup, const char *name);

/* Fills an initialised setup from a JSON file or text. The first mistake goes to err: file, JSON path (such
 * as
 * $.ports[1].driver), what is wrong and what would be right; what was filled until then is freed with the
 * setup. File names inside count from the configuration file's folder. Text from memory has no folder: its
 * file names stay as they are, and a "classbench" entry is refused, so no file is ever opened (but names of
 * users are looked up). 0 or -EINVAL,
 * -ENOMEM, or what opening a file said. */
int spx_setup_read(struct spx_setup *setup, const char *path, struct spx_error *err);
int spx_setup_parse(
	struct spx_setup *setup, const char *name, const char *text, size_t length, struct spx_error *err);

/* Lays what --cache says, MODE[:KEY=VALUE,...] with keys and values of the section "cache", over the setup's
 * cache. After the actions. 0, or -EINVAL with a line that names the option, -ENOMEM. */
int spx_setup_cache_option(struct spx_setup *setup, const char *text, struct spx_error *err);

/* What --control says: a path, or "none". 0, or -EINVAL with a line that names the option, -ENOMEM. */
int spx_setup_control_option(struct spx_setup *setup, const char *text, struct spx_error *err);

/* Sets `entries` and the sizes that follow from it: entries6 and flows. */
void spx_setup_cache_size(struct spx_setup_cache *cache, uint64_t entries);

/* Reads a rule file for the quick start into a setup that has its ports: ClassBench (every rule gets the
 * action id `action`), or JSON (first character { or [): an object with the sections "actions" and "rules" of
 * a configuration. Its actions come after those the setup has, whose names its rules may use. */
int spx_setup_read_rules(struct spx_setup *setup, const char *path, uint32_t action, struct spx_error *err);

/* Appends to `list` a change for each route of a text as a route file has them (spx_route_parse), with the
 * ports of the setup. Messages begin with `name`; on error the list is as before. 0, -EINVAL, -ENOMEM. Any
 * thread. */
int spx_setup_parse_routes(const struct spx_setup *setup, const char *name, const char *text, size_t length,
	enum spx_route_operation operation, struct spx_route_list *list, struct spx_error *err);

/* Rules for an appliance that runs with `setup`, which stays as it is: the text of a rule file, appended to
 * `rules`. JSON is as for spx_setup_read_rules, but what does not change at run time must be what the setup
 * has: every action in it is there with the same definition, and classifier and default, where they are
 * given, are the setup's. Rules of ClassBench text get the action id `action`, or with SPX_ACTION_NONE the
 * action "forward"; JSON takes SPX_ACTION_NONE alone. No file is opened. *flags_ignored: rules whose flags
 * column was ignored. Messages begin with `name`; a mistake leaves `rules` for the caller to free. 0,
 * -EINVAL, -ENOMEM. Any thread. */
int spx_setup_parse_rules(const struct spx_setup *setup, const char *name, const char *text, size_t length,
	uint32_t action, struct spx_rule_list *rules, size_t *flags_ignored, struct spx_error *err);

/* The quick start's setup for one trace, from nothing: port 0 "in" replays the trace, port 1 "out" is the
 * output, action 1 "forward" sends to it and counts. Without rules action 0, the default, forwards there too;
 * with rules what no rule matches is dropped, unless the rule file says otherwise. 0 or a negative errno; the
 * setup is freed by the caller in either case. */
struct spx_options;
int spx_setup_quick(
	struct spx_setup *setup, const struct spx_options *options, const char *trace, struct spx_error *err);

/* The setup of --config: the file, and over it what the command line says of cache, control, seconds and
 * report. The
 * same. */
int spx_setup_configured(struct spx_setup *setup, const struct spx_options *options, struct spx_error *err);

#endif
