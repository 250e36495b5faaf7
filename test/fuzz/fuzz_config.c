/* Fuzzes the configuration reader: any text is read or refused with a printable message, and what was filled
 * is freed. Text from memory opens no file (setup.h), so the inputs cannot reach any. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spx_setup setup;
	struct spx_error err = {""};
	int rc;

	if (spx_setup_init(&setup) != 0)
		abort();
	rc = spx_setup_parse(&setup, "fuzz", (const char *)data, size, &err);
	if (rc != 0 && strncmp(err.text, "fuzz:", 5) != 0)
		abort();
	for (const char *c = err.text; rc != 0 && *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			abort();
	/* What the fast path relies on. */
	for (uint32_t i = 0; rc == 0 && i < setup.n_actions; i++) {
		const struct spx_action *action = &setup.action[i].action;

		if (action->verdict == SPX_VERDICT_FORWARD && action->port >= setup.n_ports)
			abort();
		if (action->mirror != SPX_NO_PORT && action->mirror >= setup.n_ports)
			abort();
	}
	if (rc == 0 && setup.cache.mode == SPX_FLOW_MODE_approximate &&
		setup.n_actions > SPX_FLOW_ACTIONS_MAX)
		abort();
	if (rc == 0 && (setup.cache.entries == 0 || setup.cache.entries6 == 0 || setup.cache.flows == 0 ||
			       setup.cache.ways == 0 || setup.cache.ways > SPX_FLOW_WAYS_MAX))
		abort();
	for (size_t i = 0; rc == 0 && i < setup.rules.n; i++) {
		const struct spx_rule *rule = &setup.rules.rule[i];

		if (rule->action >= setup.n_actions || spx_rule_check(rule, NULL) != 0)
			abort();
		if (i > 0 && rule->order <= rule[-1].order)
			abort();
	}
	spx_setup_free(&setup);
	return 0;
}
