/* Where packets come from and go to: the ports and their files. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "app/sphex/appliance_internal.h"

/* A capture must not write over a trace that is replayed, or over another capture, by whatever name. */
int
spx_appliance_check_files(const struct spx_appliance *app, struct spx_error *err)
{
	const struct spx_setup *setup = app->setup;
	struct stat a, b;

	for (uint16_t i = 0; i < setup->n_ports; i++) {
		if (strcmp(setup->port[i].driver, "capture") != 0 || stat(setup->port[i].file, &a) != 0)
			continue;
		if (!S_ISREG(a.st_mode))
			return spx_error(err, -EINVAL,
				"port %s: %s is no regular file; a file to write expected",
				setup->port[i].name, setup->port[i].file);
		for (uint16_t k = 0; k < setup->n_ports; k++)
			if (k != i && setup->port[k].file != NULL && stat(setup->port[k].file, &b) == 0 &&
				a.st_dev == b.st_dev && a.st_ino == b.st_ino)
				return spx_error(err, -EINVAL,
					"port %s: %s is the file of port %s too; a file of its own expected",
					setup->port[i].name, setup->port[i].file, setup->port[k].name);
	}
	return 0;
}

int
spx_appliance_open_ports(struct spx_appliance *app, struct spx_error *err)
{
	for (uint16_t i = 0; i < app->setup->n_ports; i++) {
		const struct spx_setup_port *wanted = &app->setup->port[i];
		struct spx_port_options options = {
			.driver = wanted->driver,
			.id = i,
			.workers = app->setup->workers,
			.max_frame = wanted->max_frame,
			.verify_checksum = wanted->verify_checksum,
			.pool = app->pool,
			.device = wanted->device,
			.interface = wanted->interface,
			.queues = wanted->queues,
			.mode = wanted->mode,
			.target = wanted->target,
			.n_targets = wanted->n_targets,
			.rx_descriptors = wanted->rx_descriptors,
			.tx_descriptors = wanted->tx_descriptors,
			.promiscuous = wanted->promiscuous,
			.file = wanted->file,
			.passes = wanted->passes,
			.speed = wanted->speed,
			.snap = wanted->snap,
			.seed = &app->seed,
		};
		int r;

		memcpy(options.name, wanted->name, sizeof(options.name));
		r = spx_port_open(&app->port[i], &options, err);
		if (r < 0)
			return r;
		app->n_ports++;
	}
	return 0;
}

/* Every port that an action sends to must be able to send: some devices have no transmit queue. */
int
spx_appliance_check_actions(const struct spx_appliance *app, struct spx_error *err)
{
	for (uint32_t i = 0; i < app->setup->n_actions; i++) {
		const struct spx_setup_action *a = &app->setup->action[i];
		bool forwards = a->action.verdict == SPX_VERDICT_FORWARD;

		if (forwards && app->port[a->action.port].tx_queues == 0)
			return spx_error(err, -EINVAL, "action %s: port %s cannot send", a->name,
				app->setup->port[a->action.port].name);
		if (a->action.mirror != SPX_NO_PORT && app->port[a->action.mirror].tx_queues == 0)
			return spx_error(err, -EINVAL, "action %s: its mirror port %s cannot send", a->name,
				app->setup->port[a->action.mirror].name);
	}
	return 0;
}
