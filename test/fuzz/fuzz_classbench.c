/* The ClassBench reader on arbitrary bytes: what it accepts must pass spx_rule_check, what it refuses must
 * leave the list as it was and say where. */
#include <stdlib.h>
#include <string.h>

#include "lib/rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spx_rule_list list = {0};
	struct spx_error err = {0};
	size_t flags = 0;
	int rc = spx_rules_parse_classbench("fuzz", (const char *)data, size, 1, 0, &list, &flags, &err);

	if (rc != 0 && (list.n != 0 || strncmp(err.text, "fuzz:", 5) != 0))
		abort();
	if (flags > list.n)
		abort();
	for (size_t i = 0; i < list.n; i++)
		if (list.rule[i].order != i + 1 || spx_rule_check(&list.rule[i], &err) != 0)
			abort();
	spx_rule_list_free(&list);
	return 0;
}
