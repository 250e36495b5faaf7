/* Which socket: see spx_find in client.h, and "Socket" of doc/control.md. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/spxctl/client.h"

/* What was found so far. */
struct search {
	char path[SPX_CLIENT_PATH_MAX];
	int fd;                           /* of the first living one, or -1 */
	unsigned n;                       /* living ones */
	char list[640];                   /* of them, a line each */
	char denied[SPX_CLIENT_PATH_MAX]; /* one that lives, but not for this user */
};

static void
try_socket(struct search *search, const char *folder, const char *name)
{
	char path[SPX_CLIENT_PATH_MAX];
	size_t used = strlen(search->list);
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return;
	fd = spx_client_connect(path);
	if (fd == -EACCES)
		memcpy(search->denied, path, sizeof(path));
	if (fd < 0)
		return;
	snprintf(search->list + used, sizeof(search->list) - used, "\n  PID %.*s  %s",
		(int)strcspn(name, "."), name, path);
	if (search->n++ == 0) {
		search->fd = fd;
		memcpy(search->path, path, sizeof(path));
	} else {
		close(fd);
	}
}

static int
is_socket_name(const struct dirent *entry)
{
	size_t digits = strspn(entry->d_name, "0123456789");

	return digits > 0 && strcmp(entry->d_name + digits, ".sock") == 0;
}

/* Sockets in a folder that nobody else could have made: /tmp is everybody's. */
static void
try_folder(struct search *search, const char *folder)
{
	struct dirent **entry;
	struct stat st;
	int n;

	if (lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()))
		return;
	n = scandir(folder, &entry, is_socket_name, versionsort);
	for (int i = 0; i < n; i++) {
		try_socket(search, folder, entry[i]->d_name);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

/* root's instances are looked at by everybody, who may be one of their operators or readers. */
static void
try_folders(struct search *search)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char folder[SPX_CLIENT_PATH_MAX];

	try_folder(search, "/run/sphex");
	if (runtime != NULL && runtime[0] == '/' &&
		(size_t)snprintf(folder, sizeof(folder), "%s/sphex", runtime) < sizeof(folder))
		try_folder(search, folder);
	snprintf(folder, sizeof(folder), "/tmp/sphex-%u", (unsigned)geteuid());
	try_folder(search, folder);
}

static int
find_living(char path[SPX_CLIENT_PATH_MAX], struct spx_error *err)
{
	struct search search = {.fd = -1};

	try_folders(&search);
	if (search.n == 1) {
		memcpy(path, search.path, SPX_CLIENT_PATH_MAX);
		return search.fd;
	}
	if (search.n > 1) {
		close(search.fd);
		return spx_error(err, -EINVAL, "%u appliances are running; choose one with --socket PATH:%s",
			search.n, search.list);
	}
	if (search.denied[0] != '\0')
		return spx_error(err, -EACCES,
			"%s: no permission; ask as the user that sphex runs as, or as root, or be listed in "
			"control.operators of its configuration",
			search.denied);
	return spx_error(err, -ENOENT,
		"no running sphex found; start one (sphex --config FILE), or name its socket with --socket "
		"PATH");
}

int
spx_find(const char *named, char path[SPX_CLIENT_PATH_MAX], struct spx_error *err)
{
	const char *source = "";
	struct stat is;
	int fd;

	if (named == NULL) {
		named = getenv("SPX_SOCKET");
		source = " (from SPX_SOCKET)";
	}
	if (named == NULL || named[0] == '\0')
		return find_living(path, err);
	fd = spx_client_connect(named);
	if (fd == -ECONNREFUSED && stat(named, &is) == 0 && !S_ISSOCK(is.st_mode))
		return spx_error(
			err, fd, "%s%s: is no socket; that of a running sphex expected", named, source);
	if (fd == -ECONNREFUSED)
		return spx_error(
			err, fd, "%s%s: nobody listens; the sphex that made it has ended", named, source);
	if (fd == -ENAMETOOLONG)
		return spx_error(err, fd, "%s%s: a socket's path has at most %u bytes", named, source,
			SPX_CLIENT_PATH_MAX - 1);
	if (fd < 0)
		return spx_error(err, fd, "cannot connect to %s%s (%s)", named, source, strerror(-fd));
	snprintf(path, SPX_CLIENT_PATH_MAX, "%s", named);
	return fd;
}
