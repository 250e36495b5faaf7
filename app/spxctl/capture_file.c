/* The file that a capture is written to: opened here, with the user's rights, and passed to the appliance. A
 * file that is there is not lost before the appliance has said yes. See capture.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/spxctl/capture.h"

static int
open_output(struct spx_target *target, struct spx_error *err)
{
	if (isatty(STDOUT_FILENO))
		return spx_error(err, -EINVAL,
			"capture start: standard output is a terminal; pipe it into something, such as "
			"\"tcpdump -r -\"");
	target->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return target->fd >= 0 ? 0
			       : spx_error(err, -errno, "cannot use standard output (%s)", strerror(errno));
}

/* With `force` beside the old file, whose place it takes later. */
static int
create(struct spx_target *target, bool force, struct spx_error *err)
{
	int r;

	if (asprintf(&target->made, force ? "%s.new" : "%s", target->path) < 0) {
		target->made = NULL;
		return spx_error(err, -ENOMEM, "no memory");
	}
	target->fd = open(target->made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (target->fd >= 0)
		return 0;
	r = -errno;
	if (r == -EEXIST && !force)
		spx_error(err, r, "%s is there already; --force replaces it", target->made);
	else
		spx_error(err, r, "cannot create %s (%s)", target->made, strerror(-r));
	free(target->made);
	target->made = NULL;
	return r;
}

int
spx_target_open(struct spx_target *target, const char *path, bool force, struct spx_error *err)
{
	struct stat there;

	*target = (struct spx_target){.fd = -1, .path = path};
	if (strcmp(path, "-") == 0)
		return open_output(target, err);
	if (stat(path, &there) != 0 || S_ISREG(there.st_mode))
		return create(target, force, err);
	target->fd = open(path, O_WRONLY | O_CLOEXEC);
	return target->fd >= 0 ? 0 : spx_error(err, -errno, "cannot open %s (%s)", path, strerror(errno));
}

int
spx_target_close(struct spx_target *target, bool begun, struct spx_error *err)
{
	int r = 0;

	close(target->fd);
	if (target->made != NULL && !begun)
		unlink(target->made);
	else if (target->made != NULL && rename(target->made, target->path) != 0)
		r = spx_error(err, -errno, "the capture is in %s, which cannot be renamed to %s (%s)",
			target->made, target->path, strerror(errno));
	free(target->made);
	return r;
}
