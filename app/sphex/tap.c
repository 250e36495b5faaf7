/* Captures: the packet side. Nobody can begin one yet, so there is nothing to choose. */
#include "app/sphex/tap.h"
bool
spx_tap_wants(const struct spx_tap *t, enum spx_tap_point p, uint16_t port)
{
	(void)t;
	(void)p;
	(void)port;
	return false;
}
struct rte_mbuf *
spx_tap_copy(struct spx_tap *tap, const struct rte_mbuf *m, enum spx_tap_point point, uint16_t port,
	enum spx_drop reason)
{
	(void)tap;
	(void)m;
	(void)point;
	(void)port;
	(void)reason;
	return NULL;
}
void
spx_tap_put(struct spx_tap *tap, struct rte_mbuf **copies, unsigned n)
{
	(void)tap;
	(void)copies;
	(void)n;
}
