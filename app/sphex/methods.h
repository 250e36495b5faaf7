/* The methods that show and change a running appliance, for the table in methods.c; doc/control.md says what
 * each takes and returns.
 *
 * Each is a `run` of struct spx_method (rpc.h). Those that are said to wait belong on a thread of their own
 * (`slow`): they wait for a grace period, or take milliseconds with large tables.
 */
#ifndef SPX_METHODS_H
#define SPX_METHODS_H

#include "app/sphex/rpc.h"

/* ---- methods_server.c ------------------------------------------------------------------------------ */

int spx_method_hello(struct spx_call *call, json_t **result);
int spx_method_show_clients(struct spx_call *call, json_t **result);
int spx_method_stop(struct spx_call *call, json_t **result);
int spx_method_subscribe(struct spx_call *call, json_t **result);

/* ---- methods_show.c: counters ---------------------------------------------------------------------- */

int spx_method_show_version(struct spx_call *call, json_t **result);
int spx_method_show_ports(struct spx_call *call, json_t **result);
int spx_method_show_stages(struct spx_call *call, json_t **result);
int spx_method_show_drops(struct spx_call *call, json_t **result);
int spx_method_show_cache(struct spx_call *call, json_t **result);

/* ---- show_flows.c, show_rules.c: what the tables hold. They wait ------------------------------------ */

int spx_method_show_flows(struct spx_call *call, json_t **result);
int spx_method_show_rules(struct spx_call *call, json_t **result);
int spx_method_show_config(struct spx_call *call, json_t **result);

/* ---- methods_rule.c: changes. They wait ------------------------------------------------------------- */

int spx_method_rule_add(struct spx_call *call, json_t **result);
int spx_method_rule_delete(struct spx_call *call, json_t **result);
int spx_method_rule_load(struct spx_call *call, json_t **result);

/* Their reading parts, which need neither DPDK nor a rule table: of call->app they look at the setup. A rule
 * without order has 0; the rules of a file are appended to `rules`, which the caller frees in any case.
 * Nothing changes. 0, -EINVAL, -ENOMEM. */
int spx_rule_add_read(struct spx_call *call, struct spx_rule *rule);
int spx_rule_load_read(struct spx_call *call, struct spx_rule_list *rules, size_t *flags_ignored);

/* ---- methods_route.c, methods_address.c, methods_port.c: changes. They wait, but queue.set ------------- */

int spx_method_route_add(struct spx_call *call, json_t **result);
int spx_method_route_delete(struct spx_call *call, json_t **result);
int spx_method_route_load(struct spx_call *call, json_t **result);
int spx_method_route_replace(struct spx_call *call, json_t **result);
int spx_method_address_add(struct spx_call *call, json_t **result);
int spx_method_address_delete(struct spx_call *call, json_t **result);
int spx_method_show_addresses(struct spx_call *call, json_t **result);
int spx_method_neighbour_add(struct spx_call *call, json_t **result);
int spx_method_neighbour_delete(struct spx_call *call, json_t **result);
int spx_method_show_neighbours(struct spx_call *call, json_t **result);
int spx_method_port_down(struct spx_call *call, json_t **result);
int spx_method_port_up(struct spx_call *call, json_t **result);

/* One change of a queue at a time (spx_queue_set): so on the control thread. */
int spx_method_queue_set(struct spx_call *call, json_t **result);
int spx_method_show_queues(struct spx_call *call, json_t **result);

/* "up", "down" (no device, no link) or "disabled" (by port.down). */
const char *spx_port_link(const struct spx_appliance *app, uint16_t p);

/* ---- show_routes.c. They wait ----------------------------------------------------------------------- */

int spx_method_show_routes(struct spx_call *call, json_t **result);
int spx_method_route_find(struct spx_call *call, json_t **result);

/* ---- methods_trace.c: waits for packets ------------------------------------------------------------- */

int spx_method_trace(struct spx_call *call, json_t **result);

/* ---- methods_capture.c: start and stop wait ---------------------------------------------------------- */

int spx_method_capture_start(struct spx_call *call, json_t **result);
int spx_method_capture_stop(struct spx_call *call, json_t **result);
int spx_method_show_captures(struct spx_call *call, json_t **result);

/* ---- for methods ------------------------------------------------------------------------------------ */

/* A method's end: `shown` becomes its result; NULL is want of memory. */
int spx_call_give(struct spx_call *call, json_t *shown, json_t **result);

/* What a table refused with r and call->err, with the method's name before it. Returns r. */
int spx_call_refuse(struct spx_call *call, int r);

/* 0, or -EOPNOTSUPP: this appliance has no routing. */
int spx_call_needs_routing(struct spx_call *call);

/* A file that comes along as text: readers of its name (char *, owned) and its text (of the parameters). */
struct spx_call_file {
	char *name;
	const json_t *text;
};
int spx_call_read_name(const struct spx_place *at, const struct spx_field *field, void *into);
int spx_call_read_string(const struct spx_place *at, const struct spx_field *field, void *into);

/* Methods without parameters take {} or nothing. */
int spx_call_read_nothing(struct spx_call *call);
/* methods_steer.c */
int spx_method_show_steer(struct spx_call *call, json_t **result);
int spx_method_steer_add(struct spx_call *call, json_t **result);
int spx_method_steer_delete(struct spx_call *call, json_t **result);

#endif
