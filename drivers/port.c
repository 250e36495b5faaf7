/* Finds the driver of a port by name. The table is the only place that knows all drivers. */
#include <errno.h>
#include <string.h>

#include "drivers/port.h"

static const struct spx_port_ops *const drivers[] = {
	&spx_ethdev_ops, &spx_xdp_ops, &spx_replay_ops, &spx_capture_ops};

int
spx_port_open(struct spx_port *p, const struct spx_port_options *options, struct spx_error *err)
{
	int r;

	*p = (struct spx_port){.id = options->id, .mtu = UINT16_MAX, .options = *options};
	for (size_t i = 0; i < RTE_DIM(drivers); i++)
		if (strcmp(drivers[i]->name, options->driver) == 0)
			p->ops = drivers[i];
	if (p->ops == NULL)
		return spx_error(err, -EINVAL,
			"port %s: no driver \"%s\"; there are ethdev, xdp, replay, capture", options->name,
			options->driver);
	r = p->ops->open(p, err);
	if (r < 0) {
		p->ops = NULL;
		return spx_error_at(err, r, "port %s", options->name);
	}
	return 0;
}

int
spx_port_close(struct spx_port *p, struct spx_error *err)
{
	int r;

	if (p->ops == NULL)
		return 0;
	r = p->ops->close(p, err);
	p->ops = NULL;
	return r < 0 ? spx_error_at(err, r, "port %s", p->options.name) : 0;
}
