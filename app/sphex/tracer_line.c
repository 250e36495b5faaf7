/* One event of a trace as a line; see tracer.h.
 *
 * A line is a stage's name, what packets of one way have in common, and what this packet had.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/sphex/tracer_internal.h"
#include "lib/flow/flow.h"

static void __attribute__((format(printf, 2, 3))) append(char *text, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, SPX_TRACE_LINE - used, format, args);
	va_end(args);
}

static void
append_mac(char *text, const uint8_t mac[6])
{
	append(text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static uint16_t
be16(const uint8_t b[2])
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

/* "10.0.0.1:4096 > 10.0.1.1:53"; ICMP: type and code, identifier. */
static void
append_flow(char *text, int family, const uint8_t *sip, const uint8_t *dip, uint16_t sport, uint16_t dport,
	uint8_t proto)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(family, sip, from, sizeof(from));
	inet_ntop(family, dip, to, sizeof(to));
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		append(text, "%s > %s, type %u code %u, identifier %u", from, to, sport >> 8, sport & 0xff,
			dport);
	else if (sport == 0 && dport == 0)
		append(text, "%s > %s", from, to);
	else if (family == AF_INET6)
		append(text, "[%s]:%u > [%s]:%u", from, sport, to, dport);
	else
		append(text, "%s:%u > %s:%u", from, sport, to, dport);
}

static const char *
protocol_name(uint8_t proto, char text[16])
{
	switch (proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_ICMPV6:
		return "ICMPv6";
	}
	snprintf(text, 16, "protocol %u", proto);
	return text;
}

static void
line_parse(struct spx_trace_line *line, const struct spx_trace_event *e)
{
	const struct spx_layout *layout = &e->parse.layout;
	char text[16];

	if (e->parse.malformed) {
		append(line->way, "malformed");
		return;
	}
	if (e->parse.family == 4) {
		const struct spx_key4 *k = &e->parse.key4;

		append(line->way, "IPv4 %s", protocol_name(k->proto, text));
		append_flow(line->saw, AF_INET, k->sip, k->dip, be16(k->sport), be16(k->dport), k->proto);
	} else if (e->parse.family == 6) {
		const struct spx_key6 *k = &e->parse.key6;

		append(line->way, "IPv6 %s", protocol_name(k->proto, text));
		append_flow(line->saw, AF_INET6, k->sip, k->dip, be16(k->sport), be16(k->dport), k->proto);
	} else {
		append(line->way, "EtherType 0x%04x", layout->ethertype);
		append_mac(line->saw, e->parse.frame.macs + 6);
		append(line->saw, " > ");
		append_mac(line->saw, e->parse.frame.macs);
	}
	if (layout->vlan != 0) {
		append(line->way, ", tagged");
		append(line->saw, ", VLAN %u", layout->vlan);
	}
	if (layout->flags & SPX_LAYOUT_FRAGMENT)
		append(line->way, ", fragment");
	if (e->parse.family != 0)
		append(line->saw, ", TTL %u, hash %016" PRIx64, e->parse.frame.ttl, e->parse.hash);
}

static void
line_lookup(struct spx_trace_line *line, const struct spx_trace_event *e, const struct spx_trace_names *names)
{
	const char *action = names->action(names->arg, e->lookup.action);

	if (e->lookup.mode != SPX_FLOW_MODE_none)
		append(line->way, "flow cache (%s) %s, ", spx_flow_mode_name(e->lookup.mode),
			e->lookup.miss ? "miss" : "hit");
	if (e->lookup.action != e->lookup.rule_action)
		append(line->way, "an answer of another flow, where the rules say %s",
			names->action(names->arg, e->lookup.rule_action));
	else if (e->lookup.rule != 0)
		append(line->way, "rule %u", e->lookup.rule);
	else
		append(line->way, "no rule matches");
	append(line->way, ", action %s: ", action);
	if (e->lookup.verdict == SPX_VERDICT_FORWARD)
		append(line->way, "forward to %s", names->port(names->arg, e->lookup.out_port));
	else
		append(line->way, "%s",
			e->lookup.verdict == SPX_VERDICT_PUNT    ? "punt"
			: e->lookup.verdict == SPX_VERDICT_ROUTE ? "route"
								 : "drop");
	if (e->lookup.mirror != SPX_NO_PORT)
		append(line->way, ", mirrored to %s", names->port(names->arg, e->lookup.mirror));
}

static void
line_route(struct spx_trace_line *line, const struct spx_trace_event *e, const struct spx_trace_names *names)
{
	char text[SPX_ROUTE_TEXT];

	if (!e->route.routed)
		append(line->way, "no way out");
	else if (e->route.kind == SPX_NEXT_HOP_KIND_gateway)
		append(line->way, "by %s on port %s",
			spx_route_format(e->route.family, e->route.gateway, UINT8_MAX, text),
			names->port(names->arg, e->port));
	else
		append(line->way, "to the neighbour on port %s", names->port(names->arg, e->port));
}

/* `before`: the frame as parse saw it, or NULL where that is not known. */
static void
line_rewrite(
	struct spx_trace_line *line, const struct spx_trace_event *e, const struct spx_trace_frame *before)
{
	static const char *const what[] = {"destination MAC", "source MAC"};

	for (unsigned i = 0; i < 2 && before != NULL; i++) {
		if (memcmp(before->macs + 6 * i, e->rewrite.macs + 6 * i, 6) == 0)
			continue;
		append(line->way, "%s%s", line->way[0] == '\0' ? "" : ", ", what[i]);
		append(line->saw, "%s", line->saw[0] == '\0' ? "" : ", ");
		append_mac(line->saw, before->macs + 6 * i);
		append(line->saw, " -> ");
		append_mac(line->saw, e->rewrite.macs + 6 * i);
	}
	if (before != NULL && before->ttl != e->rewrite.ttl) {
		append(line->way, "%sTTL", line->way[0] == '\0' ? "" : ", ");
		append(line->saw, "%sTTL %u -> %u", line->saw[0] == '\0' ? "" : ", ", before->ttl,
			e->rewrite.ttl);
	}
	line->instead = line->saw[0] != '\0';
	if (line->way[0] == '\0')
		append(line->way, before == NULL ? "done" : "nothing to change");
}

void
spx_trace_line(struct spx_trace_line *line, const struct spx_trace_event *e,
	const struct spx_trace_names *names, const struct spx_trace_frame *before)
{
	line->way[0] = line->saw[0] = '\0';
	line->instead = false;
	switch ((enum spx_trace_kind)e->kind) {
	case SPX_TRACE_receive:
		append(line->way, "port %s", names->port(names->arg, e->port));
		append(line->saw, "%u bytes, queue %u", e->receive.length, e->receive.queue);
		break;
	case SPX_TRACE_inject:
		append(line->way, "from the slow path, goes on at %s", spx_stage_name(e->receive.stage));
		append(line->saw, "%u bytes", e->receive.length);
		break;
	case SPX_TRACE_parse:
		line_parse(line, e);
		break;
	case SPX_TRACE_lookup:
		line_lookup(line, e, names);
		break;
	case SPX_TRACE_route:
		line_route(line, e, names);
		break;
	case SPX_TRACE_rewrite:
		line_rewrite(line, e, before);
		break;
	case SPX_TRACE_enqueue:
		append(line->way, "port %s", names->port(names->arg, e->port));
		append(line->saw, "%u in its %s", e->enqueue.waiting, e->enqueue.shaped ? "queue" : "batch");
		break;
	case SPX_TRACE_transmit:
		append(line->way, "port %s, %s", names->port(names->arg, e->port),
			e->transmit.handed_over ? "to the ring of the worker that owns it" : "sent");
		if (!e->transmit.handed_over)
			append(line->saw, "queue %u", e->transmit.queue);
		break;
	case SPX_TRACE_punt:
		append(line->way, "%s: %s", spx_exception_name(e->exception),
			spx_exception_text(e->exception));
		break;
	case SPX_TRACE_slowpath:
		append(line->way, "%s: ended here", spx_exception_name(e->exception));
		break;
	case SPX_TRACE_drop:
		append(line->way, "%s: %s", spx_drop_name(e->reason), spx_drop_text(e->reason));
		break;
	case SPX_TRACE_KIND_COUNT:
		break;
	}
}

const char *
spx_trace_kind_name(enum spx_trace_kind kind)
{
	static const char *const names[] = {
#define SPX_NAME(name) [SPX_TRACE_##name] = #name,
		SPX_TRACE_KINDS(SPX_NAME)
#undef SPX_NAME
	};
	return names[kind];
}
