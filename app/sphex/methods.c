/* The table of all methods; see rpc.h. */
#include "app/sphex/methods.h"

const struct spx_method spx_methods[] = {
	{"hello", SPX_ROLE_READER, false, spx_method_hello},
	{"show.clients", SPX_ROLE_READER, false, spx_method_show_clients},
	{"stop", SPX_ROLE_OPERATOR, false, spx_method_stop},
	{"subscribe", SPX_ROLE_READER, false, spx_method_subscribe},
	{.name = NULL},
};
