/* The configuration in force: one immutable object per generation.
 *
 * Workers load the pointer once per turn; the publisher frees the object before only after every worker has
 * passed a quiescent state. It refers to the rules (owned by the rule table) and owns its copy of the
 * actions.
 */
#ifndef SPX_CONFIG_H
#define SPX_CONFIG_H

#include "lib/base/base.h"
#include "lib/rules/rules.h"

struct spx_config {
	uint64_t generation;
	uint32_t rules_generation; /* another one when answers of the rules may have changed; never 0 */
	const struct spx_rules *rules;
	bool has_rules; /* false: every packet gets the default action, nothing is looked up */
	uint32_t n_actions;
	struct spx_action action[]; /* index = action id; [0] is the default action */
};

#endif
