/* Setups and rules as JSON, the inverse of what setup_document.c and its neighbours read. All return new
 * references, or NULL for want of memory.
 *
 *   setup_json.c  the whole configuration
 *   rule_json.c   rules and their matches
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

/* The configuration of `setup` with the n rules given instead of its own, sorted by order. Reads back as an
 * equivalent setup: where the default is like no action, which only a quick start has, there is one action
 * more, of which it is the default. Names of files are as the setup has them. */
json_t *spx_setup_json(const struct spx_setup *setup, const struct spx_rule *rule, size_t n);

#endif
