/* Parameters of a request, read by the tables that read a configuration; see rpc.h. */
#include <errno.h>

#include "app/sphex/rpc.h"

/* The document has the setup for names of ports and actions. It is const in a running appliance, and a table
 * of parameters writes nothing but the struct at `into`. */
int
spx_call_read(struct spx_call *call, const struct spx_keys *keys, void *into)
{
	struct spx_document document = {
		.setup = (struct spx_setup *)call->app->setup,
		.name = call->method,
		.bare = true,
		.err = call->err,
	};
	struct spx_place root = {.document = &document, .value = call->params};
	json_t *nothing = NULL;
	int rc;

	if (root.value == NULL)
		root.value = nothing = json_object();
	rc = root.value == NULL ? spx_no_memory(&root) : spx_read_object(&root, keys, into);
	json_decref(nothing);
	return rc;
}
