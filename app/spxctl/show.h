/* What "show" and "watch" share: the things there are to show, and how each is printed. */
#ifndef SPX_CTL_SHOW_H
#define SPX_CTL_SHOW_H

#include "app/spxctl/ctl.h"
#include "app/spxctl/table.h"

/* One thing to show. */
struct spx_show {
	const char *name;
	const char *method;
	unsigned options; /* SPX_CTL_... that it takes besides --json */
	bool counters;    /* counts from a "clear" on */
	bool counted;     /* a number may follow: how many */

	/* Prints the result of the method. SPX_CTL_OK, or the exit status after a message. */
	int (*print)(const struct spx_ctl *ctl, const json_t *result);
};

/* For "show"; ends with a NULL name. */
extern const struct spx_show spx_shows[];

/* Members of an object that may have any shape: the text or NULL, the whole number or 0. */
const char *spx_member_text(const json_t *object, const char *key);
json_int_t spx_member_number(const json_t *object, const char *key);

/* The array `key` of a result, NULL after a message when there is none. */
const json_t *spx_member_array(const json_t *result, const char *key);

/* Cycles per packet of a stage; 0 when none was sampled. */
double spx_show_cycles(const json_t *stage);

/* 100 * part / whole, 0 when there is nothing. */
double spx_show_percent(json_int_t part, json_int_t whole);

int spx_show_ports(const struct spx_ctl *ctl, const json_t *result);
int spx_show_stages(const struct spx_ctl *ctl, const json_t *result);
int spx_show_drops(const struct spx_ctl *ctl, const json_t *result);
int spx_show_cache(const struct spx_ctl *ctl, const json_t *result);
int spx_show_flows(const struct spx_ctl *ctl, const json_t *result);
int spx_show_rules(const struct spx_ctl *ctl, const json_t *result);
int spx_show_routes(const struct spx_ctl *ctl, const json_t *result);
int spx_show_addresses(const struct spx_ctl *ctl, const json_t *result);
int spx_show_neighbours(const struct spx_ctl *ctl, const json_t *result);
int spx_show_queues(const struct spx_ctl *ctl, const json_t *result);
int spx_show_steer(const struct spx_ctl *ctl, const json_t *result);
int spx_show_config(const struct spx_ctl *ctl, const json_t *result);
int spx_show_version(const struct spx_ctl *ctl, const json_t *result);
int spx_show_captures(const struct spx_ctl *ctl, const json_t *result);
int spx_show_clients(const struct spx_ctl *ctl, const json_t *result);

/* All rules, page by page, in one result of show.rules. SPX_CTL_OK, or the exit status after a message. */
int spx_show_all_rules(struct spx_ctl *ctl, json_t **result);

/* All routes, the same way. */
int spx_show_all_routes(struct spx_ctl *ctl, json_t **result);

/* `show what`, for commands that have it as a form of their own. */
int spx_show_one(struct spx_ctl *ctl, const char *what);

#endif
