/* The configuration in force: one immutable object per generation.
 *
 * Workers load the pointer once per turn; the publisher frees the object before only after every worker has
 * passed a quiescent state. It refers to the rules (owned by the rule table) and the routes (owned by the
 * route table) and owns its copies of actions, ports and addresses.
 */
#ifndef SPX_CONFIG_H
#define SPX_CONFIG_H

#include "lib/base/base.h"
#include "lib/route/route.h"
#include "lib/rules/rules.h"

/* Reverse-path check of a port (RFC 3704): is there a route back to the source at all (loose), by this port
 * (strict)? */
enum spx_reverse_path { SPX_REVERSE_PATH_OFF, SPX_REVERSE_PATH_LOOSE, SPX_REVERSE_PATH_STRICT };

/* What routing has to know of a port. */
struct spx_config_port {
	uint8_t mac[6];
	uint8_t reverse_path; /* enum spx_reverse_path */
	bool addressed; /* it has addresses of ours: ARP and neighbour discovery are for the slow path */
	uint16_t mtu;   /* bytes of an IP packet */
};

struct spx_config {
	uint64_t generation;
	uint32_t rules_generation; /* another one when answers of the rules may have changed; never 0 */
	const struct spx_rules *rules;
	bool has_rules; /* false: every packet gets the default action, nothing is looked up */
	const struct spx_routes *routes; /* NULL: there is no routing */
	struct spx_next_hop *next_hop;   /* of the routes, by id */
	uint32_t routes_generation; /* another one when answers of the routes may have changed; never 0 */
	struct spx_config_port port[SPX_PORTS_MAX];
	struct spx_address_list addresses; /* of this node; owned */
	uint32_t n_actions;
	struct spx_action action[]; /* index = action id; [0] is the default action */
};

#endif
