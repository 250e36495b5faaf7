/* Frames of the slow path on their way to a worker, and the ends of packets; who may be answered, and how
 * often; see slowpath.h. */
#include <string.h>

#include "app/sphex/slow_internal.h"

struct rte_mbuf *
spx_slow_new(struct spx_slowpath *s, uint16_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool);

	if (m == NULL || rte_pktmbuf_append(m, length) == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	*spx_meta(m) =
		(struct spx_meta){.action = SPX_ACTION_NONE, .in_port = SPX_NO_PORT, .out_port = SPX_NO_PORT};
	spx_count(&s->counters.generated, 1);
	return m;
}

/* Always the same worker for a port, so that frames keep their order. */
void
spx_slow_send(struct spx_slowpath *s, struct rte_mbuf *m, uint16_t port)
{
	spx_meta(m)->in_port = port;
	spx_meta(m)->out_port = port;
	spx_meta(m)->action = SPX_ACTION_NONE;
	if (s->mute & spx_set_one(port)) {
		spx_slow_drop(s, m, SPX_DROP_port_down);
		return;
	}
	spx_slowpath_inject(s, port % s->n_workers, m, SPX_STAGE_enqueue);
}

void
spx_slow_drop(struct spx_slowpath *s, struct rte_mbuf *m, enum spx_drop reason)
{
	if (spx_watched(&s->watcher))
		spx_watch_drop(&s->watcher, spx_meta(m)->in_port, &m, 1, reason);
	spx_count(&s->counters.drops[reason], 1);
	rte_pktmbuf_free(m);
}

void
spx_slow_consume(struct spx_slowpath *s, struct rte_mbuf *m)
{
	if (spx_watched(&s->watcher))
		spx_watch_consume(&s->watcher, &m, 1);
	spx_count(&s->counters.consumed, 1);
	rte_pktmbuf_free(m);
}

bool
spx_slow_take_one(struct spx_slow_budget *budget, uint64_t now_ms)
{
	uint64_t passed = now_ms > budget->refilled_ms ? now_ms - budget->refilled_ms : 0;
	uint64_t more = passed * SPX_SLOW_ANSWERS / 1000;

	if (more > 0) {
		budget->left = (uint32_t)RTE_MIN(budget->left + more, (uint64_t)SPX_SLOW_ANSWERS);
		budget->refilled_ms = now_ms;
	}
	if (budget->left == 0)
		return false;
	budget->left--;
	return true;
}

/* What the routes say of the address: none, a broadcast address, one of ours, ... */
static enum spx_next_hop_kind
kind_of(const struct spx_slowpath *s, bool ipv4, const uint8_t *address)
{
	struct spx_key4 key4 = {0};
	struct spx_key6 key6 = {0};
	const uint64_t hash = 0;
	uint32_t hop = SPX_NEXT_HOP_NONE;

	if (s->now->routes == NULL)
		return SPX_NEXT_HOP_KIND_none;
	if (ipv4) {
		memcpy(key4.dip, address, sizeof(key4.dip));
		spx_route_lookup4(s->now->routes, &key4, &hash, 1, UINT64_MAX, &hop);
	} else {
		memcpy(key6.dip, address, sizeof(key6.dip));
		spx_route_lookup6(s->now->routes, &key6, &hash, 1, UINT64_MAX, &hop);
	}
	return (enum spx_next_hop_kind)s->now->next_hop[hop].kind;
}

bool
spx_slow_has_sender(const struct spx_slowpath *s, struct rte_mbuf *m)
{
	static const uint8_t zero[15]; /* :: and ::1 begin with */
	const struct spx_layout *layout = &spx_meta(m)->layout;
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const bool ipv4 = layout->ethertype == RTE_ETHER_TYPE_IPV4;
	const uint8_t *sip = frame + layout->l3 + (ipv4 ? 12 : 8);
	enum spx_next_hop_kind kind;

	if (frame[6] & 1)
		return false;
	if (ipv4 ? sip[0] == 0 || sip[0] == 127 || sip[0] >= 224
		 : sip[0] == 0xff || (memcmp(sip, zero, sizeof(zero)) == 0 && sip[15] <= 1))
		return false;
	kind = kind_of(s, ipv4, sip);
	return kind != SPX_NEXT_HOP_KIND_broadcast &&
	       (kind != SPX_NEXT_HOP_KIND_local || spx_meta(m)->in_port == s->local_port);
}
