/* The words of "rule add" as parameters of rule.add. */
#ifndef SPX_CTL_RULE_H
#define SPX_CTL_RULE_H

#include <jansson.h>

#include "lib/base/base.h"

/* `n` words such as: order 100 proto udp dport 53 action web. 0 with *params (new reference), or -EINVAL with
 * the message. What a value may be is for the appliance to say: it knows its ports and actions. */
int spx_rule_words(int n, char *const *word, json_t **params, struct spx_error *err);

#endif
