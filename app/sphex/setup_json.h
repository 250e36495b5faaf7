/* Setups and rules as JSON, the inverse of what setup_document.c and its neighbours read. All return new
 * references, or NULL for want of memory.
 *
 *   setup_json.c  the whole configuration
 *   rule_json.c   rules and their matches
 *   route_json.c  routes, addresses, neighbours
 *   running_json.c  the configuration as it has become
 */
#ifndef SPX_SETUP_JSON_H
#define SPX_SETUP_JSON_H

#include <jansson.h>

#include "app/sphex/setup.h"

/* "match" of a rule. Reads back as the same match, where an EtherType of IPv4 or IPv6 has become the family.
 */
json_t *spx_match_json(const struct spx_setup *setup, const struct spx_match *match);

/* An element of "list" of "rules": order, match, action. */
json_t *spx_rule_json(const struct spx_setup *setup, const struct spx_rule *rule);

/* A route as a line of a route file, "10.0.0.0/8 via 192.0.2.2 dev left"; those that belong to addresses have
 * "local" or "broadcast" in place of a gateway. */
json_t *spx_route_json(const struct spx_setup *setup, const struct spx_route *route);

json_t *spx_address_json(const struct spx_address *address); /* with its length */
json_t *spx_mac_json(const uint8_t mac[6]);

/* An element of "neighbours". */
json_t *spx_neighbour_json(const struct spx_setup *setup, const struct spx_setup_neighbour *neighbour);

/* The configuration of `setup` with the n rules given instead of its own, sorted by order. Reads back as an
 * equivalent setup: where the default is like no action, which only a quick start has, there is one action
 * more, of which it is the default. Names of files are as the setup has them. */
json_t *spx_setup_json(const struct spx_setup *setup, const struct spx_rule *rule, size_t n);

/* The same of a running appliance: with the addresses, static routes, permanent neighbours and queues that it
 * has now (running_json.c). Waits for the lock of the route table. */
struct spx_appliance;
json_t *spx_running_json(struct spx_appliance *app, const struct spx_rule *rule, size_t n);

#endif
