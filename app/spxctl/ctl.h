/* spxctl, the control client: what its files share. It speaks doc/control.md to a running sphex.
 *
 *   main.c            the command line
 *   help.c            the table of commands and its texts
 *   ctl.c             messages, calls
 *   words.c           words that may be abbreviated, numbers
 *   find.c            which socket
 *   file.c            text of files
 *   client.c          the connection: requests, answers, events, a file that goes along
 *   table.c text.c    what is printed
 *   baseline.c        numbers since "clear"
 *   since.c rates*.c screen.c       counters of an interval, per second, redrawn
 *   show*.c watch.c clear.c rule*.c route.c neighbour.c port.c trace.c capture*.c events.c stop.c
 *                     the commands
 *   capsule*.c        the one command that needs no appliance (capsule.h)
 *
 * It is linked without DPDK and starts in a few milliseconds. What the appliance says is not trusted: its
 * texts are printed without control characters, its JSON may have any shape.
 */
#ifndef SPX_CTL_H
#define SPX_CTL_H

#include "app/spxctl/client.h"

/* Exit status. */
enum {
	SPX_CTL_OK = 0,
	SPX_CTL_FAILED = 1, /* the appliance said no, or is gone */
	SPX_CTL_USAGE = 2,  /* a mistake in the command line */
};

/* Options, as bits of spx_ctl.given and of a command's `options`. */
enum {
	SPX_CTL_JSON = 1 << 0,
	SPX_CTL_TOTAL = 1 << 1,
	SPX_CTL_ALL = 1 << 2,
	SPX_CTL_FORCE = 1 << 3,
	SPX_CTL_UNDO = 1 << 4,
	SPX_CTL_NO_WAIT = 1 << 5,
	SPX_CTL_INTERVAL = 1 << 6,
	SPX_CTL_COUNT = 1 << 7,
	SPX_CTL_SECONDS = 1 << 8,
	SPX_CTL_SOCKET = 1 << 9,
	SPX_CTL_ID = 1 << 10,
	SPX_CTL_INGRESS = 1 << 11,
	SPX_CTL_EGRESS = 1 << 12,
	SPX_CTL_LOCAL = 1 << 13,
	SPX_CTL_WAIT = 1 << 14,
	SPX_CTL_PAYLOAD = 1 << 15,
	SPX_CTL_PORT = 1 << 16,
};

/* What the command line says, and the connection once there is one. */
struct spx_ctl {
	unsigned given;      /* SPX_CTL_... */
	const char *socket;  /* --socket, or NULL */
	double interval;     /* --interval: seconds from one line, or capsule, to the next */
	uint64_t count;      /* --count: lines, or capsules; 0: without end */
	double seconds;      /* --seconds: how long a trace waits */
	double wait;         /* --wait: seconds for capsules to come */
	uint64_t id;         /* --id: of the computation */
	uint64_t port;       /* --port: UDP port of one's own; 0: any */
	const char *payload; /* --payload, or NULL */
	struct spx_client client;
};

/* A command. Its words are those behind its name. Returns the exit status. */
struct spx_ctl_command {
	const char *name;
	const char *usage; /* what comes behind the name, one line for each form */
	const char *text;  /* one line */
	const char *more;  /* lines of its own help */
	unsigned options;  /* that it takes besides --socket */
	int (*run)(struct spx_ctl *ctl, int n, char **word);
	bool whole; /* its name is not abbreviated: a slip must not do this */
};

extern const struct spx_ctl_command spx_ctl_commands[]; /* ends with a NULL name */

int spx_ctl_show(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_watch(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_rule(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_route(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_address(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_neighbour(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_queue(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_steer(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_port(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_clear(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_trace(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_capture(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_events(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_capsule(struct spx_ctl *ctl, int n, char **word);
int spx_ctl_stop(struct spx_ctl *ctl, int n, char **word);

/* "spxctl: text" to standard error, control characters replaced. Return SPX_CTL_FAILED and SPX_CTL_USAGE. */
int spx_ctl_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
int spx_ctl_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Gives back what an allocation returned; ends the program when that is NULL: a client has nothing to save.
 */
void *spx_ctl_memory(void *memory);

/* Finds the appliance (find.c), connects and says hello, unless that is done already. SPX_CTL_OK, or the exit
 * status after the message. */
int spx_ctl_connect(struct spx_ctl *ctl);

/* Connects and calls; `params` (may be NULL) is given away. `timeout` in seconds, 0: none. *result is a new
 * reference. SPX_CTL_OK, or the exit status after the message. */
int spx_ctl_call(struct spx_ctl *ctl, const char *method, json_t *params, double timeout, json_t **result);

/* As spx_ctl_call within the usual time, for a method that reads counters. */
int spx_ctl_ask(struct spx_ctl *ctl, const char *method, json_t *params, json_t **result);

/* Calls, without a limit of time, a method that changes something, and prints the result: as JSON, or by
 * `print`. `params` is given away; NULL: a word is no UTF-8. Returns the exit status. */
int
spx_ctl_change(struct spx_ctl *ctl, const char *method, json_t *params, void (*print)(const json_t *result));

/* The text of a file ("-": standard input) as a JSON string (new reference), or NULL after a message;
 * `expected` is what it should have been. */
json_t *spx_ctl_read_text(const char *name, const char *expected);

/* Prints a document, indented, and a newline. */
void spx_ctl_print_json(const json_t *document);
/* The same on one line, at once: for commands that print one after the other. */
void spx_ctl_print_json_line(const json_t *document);

/* Help: of all commands, or of one. */
void spx_ctl_help(FILE *out);
void spx_ctl_help_command(const struct spx_ctl_command *command, FILE *out);

#endif
