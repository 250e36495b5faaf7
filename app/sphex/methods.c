/* The table of all methods; see rpc.h. */
#include "app/sphex/methods.h"

const struct spx_method spx_methods[] = {
	{"hello", SPX_ROLE_READER, false, spx_method_hello},
	{"show.clients", SPX_ROLE_READER, false, spx_method_show_clients},
	{"show.steer", SPX_ROLE_READER, false, spx_method_show_steer},
	{"steer.add", SPX_ROLE_OPERATOR, false, spx_method_steer_add},
	{"steer.delete", SPX_ROLE_OPERATOR, false, spx_method_steer_delete},
	{"stop", SPX_ROLE_OPERATOR, false, spx_method_stop},
	{"subscribe", SPX_ROLE_READER, false, spx_method_subscribe},
	{.name = NULL},
};
