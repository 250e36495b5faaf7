/* The control server's listening socket: where it is, who has it, what a killed instance left behind.
 *
 * Whoever makes or replaces a socket holds a lock on its folder meanwhile, so two that start at once do not
 * both take an old socket for nobody's. A socket that nobody listens at refuses connections: that is how a
 * living instance's is told from one left behind. See server.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

#define BACKLOG    512
#define LOCK_TRIES 200 /* of 10 ms each: others hold the lock for less */

/* ---- the run directory ------------------------------------------------------------------------------- */

static int
run_directory(char path[PATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int n;

	if (geteuid() == 0)
		n = snprintf(path, PATH_MAX, "/run/sphex");
	else if (runtime != NULL && runtime[0] == '/')
		n = snprintf(path, PATH_MAX, "%s/sphex", runtime);
	else
		n = snprintf(path, PATH_MAX, "/tmp/sphex-%u", geteuid());
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Ours and nobody else's: others could put a socket of theirs in our place. */
static int
check_directory(const char *path, struct spx_error *err)
{
	struct stat is;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return spx_error(err, -errno, "%s cannot be made (%s)", path, strerror(errno));
	if (lstat(path, &is) < 0)
		return spx_error(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(is.st_mode) || is.st_uid != geteuid() || (is.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return spx_error(
			err, -EPERM, "%s: a folder that only user %u can write to expected", path, geteuid());
	return 0;
}

/* ---- one socket -------------------------------------------------------------------------------------- */

static void
address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
}

/* True when the socket is there and nobody listens. */
static bool
left_behind(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	bool refused;

	address_of(path, &address);
	refused = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
		  errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return refused;
}

/* Sockets of dead instances in the run directory. */
static void
remove_left_behind(const char *directory)
{
	DIR *list = opendir(directory);
	struct dirent *entry;
	char path[PATH_MAX];

	while (list != NULL && (entry = readdir(list)) != NULL) {
		size_t digits = strspn(entry->d_name, "0123456789");

		if (digits > 0 && strcmp(entry->d_name + digits, ".sock") == 0 &&
			snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) < (int)sizeof(path) &&
			strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path) && left_behind(path))
			unlink(path);
	}
	if (list != NULL)
		closedir(list);
}

/* Makes way for a socket at path. */
static int
make_way(const char *path, struct spx_error *err)
{
	struct stat is;

	if (lstat(path, &is) < 0)
		return errno == ENOENT
			       ? 0
			       : spx_error(err, -errno, "control socket %s: %s", path, strerror(errno));
	if (!S_ISSOCK(is.st_mode))
		return spx_error(err, -EEXIST,
			"control socket %s: something that is no socket is there; a path that is free "
			"expected",
			path);
	if (!left_behind(path))
		return spx_error(err, -EADDRINUSE,
			"control socket %s: another program has it; another path expected (--control PATH)",
			path);
	if (unlink(path) < 0)
		return spx_error(err, -errno, "control socket %s: the old one cannot be removed (%s)", path,
			strerror(errno));
	return 0;
}

/* Everybody whom the server may have something to say to can connect; it looks at who it is itself. */
static mode_t
mode_of(const struct spx_setup_control *control)
{
	return control->readers == SPX_READERS_NONE && control->n_operators == 0 ? 0600 : 0666;
}

static int
open_socket(struct spx_server *server, const char *path)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->listening};
	struct sockaddr_un address;
	struct stat is;

	address_of(path, &address);
	server->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->listening < 0 ||
		bind(server->listening, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (lstat(path, &is) < 0)
		return -errno;
	server->device = is.st_dev;
	server->inode = is.st_ino;
	server->path = strdup(path);
	if (server->path == NULL)
		return -ENOMEM;
	if (chmod(path, mode_of(&server->app->setup->control)) < 0 ||
		listen(server->listening, BACKLOG) < 0 ||
		epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listening, &event) < 0)
		return -errno;
	return 0;
}

/* ---- the whole --------------------------------------------------------------------------------------- */

/* A file descriptor that holds the lock until it is closed, or a negative errno. */
static int
lock_directory(const char *directory, struct spx_error *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return spx_error(err, -errno, "control socket: folder %s: %s", directory, strerror(errno));
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		usleep(10000);
	}
	close(fd);
	return spx_error(err, -EBUSY, "control socket: somebody has locked its folder %s", directory);
}

static int
listen_at(
	struct spx_server *server, const char *directory, const char *path, bool clean, struct spx_error *err)
{
	size_t room = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	int lock, r;

	if (strlen(path) > room)
		return spx_error(err, -ENAMETOOLONG,
			"control socket %s: a path of %zu bytes; at most %zu expected (--control PATH)", path,
			strlen(path), room);
	lock = lock_directory(directory, err);
	if (lock < 0)
		return lock;
	if (clean)
		remove_left_behind(directory);
	r = make_way(path, err);
	if (r == 0 && (r = open_socket(server, path)) < 0) {
		spx_error(err, r, "control socket %s: %s", path, strerror(-r));
		spx_server_unlisten(server);
	}
	close(lock);
	return r;
}

static int
listen_named(struct spx_server *server, const char *path, struct spx_error *err)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash == NULL   ? strdup(".")
			  : slash == path ? strdup("/")
					  : strndup(path, (size_t)(slash - path));
	int r = directory == NULL ? spx_error(err, -ENOMEM, "no memory")
				  : listen_at(server, directory, path, false, err);

	free(directory);
	return r;
}

int
spx_server_listen(struct spx_server *server, struct spx_error *err)
{
	const struct spx_setup_control *control = &server->app->setup->control;
	char directory[PATH_MAX], path[PATH_MAX];
	int r;

	if (control->socket != NULL)
		return listen_named(server, control->socket, err);
	r = run_directory(directory);
	if (r < 0 || snprintf(path, sizeof(path), "%s/%d.sock", directory, getpid()) >= (int)sizeof(path))
		return spx_error(err, -ENAMETOOLONG, "control socket: the run directory's path is too long");
	r = check_directory(directory, err);
	return r < 0 ? r : listen_at(server, directory, path, true, err);
}

const char *
spx_server_path(const struct spx_server *server)
{
	return server->path;
}

void
spx_server_unlisten(struct spx_server *server)
{
	struct stat is;

	/* Removed before it is closed: while somebody listens nobody else takes its place. */
	if (server->path != NULL && lstat(server->path, &is) == 0 && is.st_dev == server->device &&
		is.st_ino == server->inode)
		unlink(server->path);
	if (server->listening >= 0)
		spx_server_disconnect(server, server->listening);
	server->listening = -1;
	server->listen_again = 0;
	free(server->path);
	server->path = NULL;
}
