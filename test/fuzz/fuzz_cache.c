/* Fuzzes --cache: any text is read into sizes that a flow cache takes, or refused with a printable line that
 * names the option. */
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spx_setup setup;
	struct spx_error err = {""};
	char *text = strndup((const char *)data, size);
	const struct spx_setup_cache *c = &setup.cache;
	int rc;

	if (text == NULL || spx_setup_init(&setup) != 0)
		abort();
	rc = spx_setup_cache_option(&setup, text, &err);
	if (rc != 0 && strncmp(err.text, "--cache: ", 9) != 0)
		abort();
	for (const char *p = err.text; rc != 0 && *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			abort();
	if (rc == 0 && (c->entries == 0 || c->entries6 == 0 || c->flows == 0 || c->ways == 0 ||
			       c->ways > SPX_FLOW_WAYS_MAX || !(c->p > 0 && c->p < 1)))
		abort();
	spx_setup_free(&setup);
	free(text);
	return 0;
}
