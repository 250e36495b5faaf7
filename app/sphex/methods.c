/* The table of all methods; see rpc.h. */
#include "app/sphex/methods.h"

const struct spx_method spx_methods[] = {
	{"capture.start", SPX_ROLE_OPERATOR, true, spx_method_capture_start},
	{"capture.stop", SPX_ROLE_OPERATOR, true, spx_method_capture_stop},
	{"hello", SPX_ROLE_READER, false, spx_method_hello},
	{"rule.add", SPX_ROLE_OPERATOR, true, spx_method_rule_add},
	{"rule.delete", SPX_ROLE_OPERATOR, true, spx_method_rule_delete},
	{"rule.load", SPX_ROLE_OPERATOR, true, spx_method_rule_load},
	{"show.cache", SPX_ROLE_READER, false, spx_method_show_cache},
	{"show.captures", SPX_ROLE_READER, false, spx_method_show_captures},
	{"show.clients", SPX_ROLE_READER, false, spx_method_show_clients},
	{"show.config", SPX_ROLE_READER, true, spx_method_show_config},
	{"show.drops", SPX_ROLE_READER, false, spx_method_show_drops},
	{"show.flows", SPX_ROLE_READER, true, spx_method_show_flows},
	{"show.ports", SPX_ROLE_READER, false, spx_method_show_ports},
	{"show.rules", SPX_ROLE_READER, true, spx_method_show_rules},
	{"show.stages", SPX_ROLE_READER, false, spx_method_show_stages},
	{"show.version", SPX_ROLE_READER, false, spx_method_show_version},
	{"show.steer", SPX_ROLE_READER, false, spx_method_show_steer},
	{"steer.add", SPX_ROLE_OPERATOR, false, spx_method_steer_add},
	{"steer.delete", SPX_ROLE_OPERATOR, false, spx_method_steer_delete},
	{"stop", SPX_ROLE_OPERATOR, false, spx_method_stop},
	{"subscribe", SPX_ROLE_READER, false, spx_method_subscribe},
	{"trace", SPX_ROLE_OPERATOR, true, spx_method_trace},
	{.name = NULL},
};
