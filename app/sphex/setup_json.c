/* A setup as the configuration that it could have been read from; see setup_json.h. A function for each
 * section, in the order of setup_document.c; every key is written, also where it has its default. */
#include <stdio.h>
#include <string.h>

#include "app/sphex/report.h"
#include "app/sphex/setup_json.h"
#include "app/sphex/setup_reader.h"

static json_t *
memory(const struct spx_setup *s)
{
	return json_pack("{s:s, s:I, s:I}", "hugepages", spx_hugepages_words[s->hugepages], "megabytes",
		(json_int_t)s->memory_mb, "mbufs", (json_int_t)s->mbufs);
}

static json_t *
workers(const struct spx_setup *s)
{
	json_t *o = json_pack("{s:i, s:s, s:i}", "count", (int)s->workers, "idle",
		spx_idle_words[s->worker_idle], "burst", (int)s->burst);
	json_t *cpus;

	if (o == NULL || s->worker_cpu[0] < 0)
		return o;
	cpus = json_array();
	for (uint16_t w = 0; w < s->workers; w++)
		json_array_append_new(cpus, json_integer(s->worker_cpu[w]));
	json_object_set_new(o, "cpus", cpus);
	return o;
}

static json_t *
slowpath(const struct spx_setup *s)
{
	json_t *o = json_pack("{s:I, s:I, s:I}", "exception_ring", (json_int_t)s->exception_ring,
		"inject_ring", (json_int_t)s->inject_ring, "flow_ring", (json_int_t)s->flow_ring);

	if (s->slowpath_cpu >= 0)
		json_object_set_new(o, "cpu", json_integer(s->slowpath_cpu));
	return o;
}

static json_t *
cache(const struct spx_setup *s)
{
	const struct spx_setup_cache *c = &s->cache;

	return json_pack("{s:s, s:I, s:I, s:i, s:f, s:I, s:s, s:f, s:I}", "mode", spx_flow_mode_name(c->mode),
		"entries", (json_int_t)c->entries, "entries6", (json_int_t)c->entries6, "ways", (int)c->ways,
		"p", c->p, "flows", (json_int_t)c->flows, "ageing", spx_ageing_words[c->ageing],
		"idle_seconds", c->idle_seconds, "flood_guard", (json_int_t)c->flood_guard);
}

/* ---- ports ----------------------------------------------------------------------------------------- */

static void
add_received(json_t *o, const struct spx_setup_port *p)
{
	json_object_set_new(o, "max_frame", json_integer(p->max_frame));
	json_object_set_new(o, "verify_checksum", json_boolean(p->verify_checksum));
}

/* What an ethdev and an xdp port have. */
static void
add_device(json_t *o, const struct spx_setup *s, const struct spx_setup_port *p)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < s->n_addresses; i++)
		if (&s->port[s->address[i].port] == p)
			json_array_append_new(addresses, spx_address_json(&s->address[i]));
	json_object_set_new(o, "promiscuous", json_boolean(p->promiscuous));
	json_object_set_new(o, "addresses", addresses);
	json_object_set_new(o, "mtu", json_integer(p->mtu));
	json_object_set_new(o, "reverse_path", json_string(spx_reverse_path_words[p->reverse_path]));
	add_received(o, p);
}

static void
add_queue(json_t *o, const struct spx_setup_port *p)
{
	const struct spx_queue_options *q = &p->queue.options;

	if (p->queue.wanted)
		json_object_set_new(o, "queue",
			json_pack("{s:I, s:I, s:I}", "rate_kbps", (json_int_t)q->rate_kbps, "limit_packets",
				(json_int_t)q->limit_packets, "limit_bytes", (json_int_t)q->limit_bytes));
}

static void
add_ethdev(json_t *o, const struct spx_setup *s, const struct spx_setup_port *p)
{
	json_object_set_new(o, "device", spx_report_string(p->device));
	json_object_set_new(o, "rx_descriptors", json_integer(p->rx_descriptors));
	json_object_set_new(o, "tx_descriptors", json_integer(p->tx_descriptors));
	add_device(o, s, p);
	add_queue(o, p);
}

static json_t *
steer(const struct spx_setup_port *p)
{
	json_t *udp_ports = json_array(), *prefixes = json_array();
	bool everything = false;

	for (uint32_t i = 0; i < p->n_targets; i++) {
		const struct spx_xdp_target *t = &p->target[i];
		struct spx_address address = {
			.family = t->kind == SPX_XDP_PREFIX6 ? SPX_ROUTE_IPV6 : SPX_ROUTE_IPV4,
			.length = t->length};

		memcpy(address.address, t->address, sizeof(address.address));
		if (t->kind == SPX_XDP_EVERYTHING)
			everything = true;
		else if (t->kind == SPX_XDP_UDP_PORT)
			json_array_append_new(udp_ports, json_integer(t->udp_port));
		else
			json_array_append_new(prefixes, spx_address_json(&address));
	}
	return json_pack(
		"{s:b, s:o, s:o}", "everything", everything, "udp_ports", udp_ports, "prefixes", prefixes);
}

static void
add_xdp(json_t *o, const struct spx_setup *s, const struct spx_setup_port *p)
{
	json_object_set_new(o, "interface", spx_report_string(p->interface));
	json_object_set_new(o, "queues", json_integer(p->queues));
	json_object_set_new(o, "mode", json_string(spx_xdp_mode_words[p->mode]));
	json_object_set_new(o, "steer", steer(p));
	add_device(o, s, p);
}

static void
add_replay(json_t *o, const struct spx_setup *s, const struct spx_setup_port *p)
{
	(void)s;
	json_object_set_new(o, "trace", spx_report_string(p->file));
	json_object_set_new(o, "passes", json_integer((json_int_t)p->passes));
	json_object_set_new(o, "speed", p->speed == 0 ? json_string("top") : json_real(p->speed));
	add_received(o, p);
}

static void
add_capture(json_t *o, const struct spx_setup *s, const struct spx_setup_port *p)
{
	(void)s;
	json_object_set_new(o, "file", spx_report_string(p->file));
	json_object_set_new(o, "snap", json_integer(p->snap));
	add_queue(o, p);
}

static json_t *
ports(const struct spx_setup *s)
{
	static const struct {
		const char *driver;
		void (*add)(json_t *o, const struct spx_setup *s, const struct spx_setup_port *p);
	} drivers[] = {
		{"ethdev", add_ethdev}, {"xdp", add_xdp}, {"replay", add_replay}, {"capture", add_capture}};
	json_t *a = json_array();

	for (uint16_t i = 0; i < s->n_ports; i++) {
		const struct spx_setup_port *p = &s->port[i];
		json_t *o = json_pack("{s:s, s:s}", "driver", p->driver, "name", p->name);

		for (size_t d = 0; d < RTE_DIM(drivers); d++)
			if (strcmp(p->driver, drivers[d].driver) == 0)
				drivers[d].add(o, s, p);
		json_array_append_new(a, o);
	}
	return a;
}

/* ---- actions and rules ----------------------------------------------------------------------------- */

static json_t *
action(const struct spx_setup *s, const struct spx_action *a)
{
	json_t *o = json_pack("{s:s}", "verdict", spx_verdict_words[a->verdict]);

	if (a->verdict == SPX_VERDICT_FORWARD)
		json_object_set_new(o, "port", json_string(s->port[a->port].name));
	if (a->flags & SPX_ACTION_SET_DST_MAC)
		json_object_set_new(o, "dst_mac", spx_mac_json(a->dst_mac));
	if (a->flags & SPX_ACTION_SET_SRC_MAC)
		json_object_set_new(o, "src_mac", spx_mac_json(a->src_mac));
	if (a->flags & SPX_ACTION_DEC_TTL)
		json_object_set_new(o, "decrement_ttl", json_true());
	if (a->mirror != SPX_NO_PORT)
		json_object_set_new(o, "mirror", json_string(s->port[a->mirror].name));
	if (a->flags & SPX_ACTION_COUNT)
		json_object_set_new(o, "count", json_true());
	return o;
}

static json_t *
actions(const struct spx_setup *s)
{
	json_t *o = json_object();

	for (uint32_t i = 1; i < s->n_actions; i++)
		json_object_set_new(o, s->action[i].name, action(s, &s->action[i].action));
	return o;
}

/* The drop that a configuration without "default" has. */
static bool
default_unsaid(const struct spx_action *a)
{
	return a->verdict == SPX_VERDICT_DROP && a->flags == SPX_ACTION_NO_RULE && a->mirror == SPX_NO_PORT;
}

/* The name of an action that the default can be made of, which is added to `actions` where there is none. */
static const char *
default_name(const struct spx_setup *s, json_t *actions_json, char name[SPX_NAME_MAX])
{
	const char *known = spx_setup_default(s);
	unsigned number = 1;

	if (known != NULL)
		return known;
	snprintf(name, SPX_NAME_MAX, "unmatched");
	while (json_object_get(actions_json, name) != NULL)
		snprintf(name, SPX_NAME_MAX, "unmatched_%u", ++number);
	json_object_set_new(actions_json, name, action(s, &s->action[0].action));
	return name;
}

static json_t *
rules(const struct spx_setup *s, const struct spx_rule *rule, size_t n, json_t *actions_json)
{
	json_t *o = json_object(), *list = json_array();
	char name[SPX_NAME_MAX];

	json_object_set_new(o, "classifier", json_string(spx_classifier_words[s->classifier]));
	if (!default_unsaid(&s->action[0].action))
		json_object_set_new(o, "default", json_string(default_name(s, actions_json, name)));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, spx_rule_json(s, &rule[i]));
	json_object_set_new(o, "list", list);
	return o;
}

/* ---- routes ---------------------------------------------------------------------------------------- */

static json_t *
routes(const struct spx_setup *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->routes.n; i++)
		json_array_append_new(a, spx_route_json(s, &s->routes.change[i].route));
	return a;
}

static json_t *
neighbours(const struct spx_setup *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->n_neighbours; i++)
		json_array_append_new(a, spx_neighbour_json(s, &s->neighbour[i]));
	return a;
}

/* ---- the document ---------------------------------------------------------------------------------- */

json_t *
spx_setup_json(const struct spx_setup *s, const struct spx_rule *rule, size_t n)
{
	json_t *o = json_object(), *actions_json = actions(s);

	json_object_set_new(o, "memory", memory(s));
	json_object_set_new(o, "workers", workers(s));
	json_object_set_new(o, "slowpath", slowpath(s));
	json_object_set_new(o, "cache", cache(s));
	json_object_set_new(o, "hash_seed", json_integer((json_int_t)s->hash_seed));
	json_object_set_new(o, "seconds", json_real(s->seconds));
	if (s->report != NULL)
		json_object_set_new(o, "report", spx_report_string(s->report));
	json_object_set_new(o, "ports", ports(s));
	if (s->local_port != SPX_NO_PORT)
		json_object_set_new(o, "local_port", json_string(s->port[s->local_port].name));
	json_object_set_new(o, "actions", actions_json);
	json_object_set_new(o, "rules", rules(s, rule, n, actions_json));
	json_object_set_new(o, "routes", routes(s));
	json_object_set_new(o, "neighbours", neighbours(s));
	return o;
}
