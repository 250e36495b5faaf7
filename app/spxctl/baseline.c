/* Baselines are files in $XDG_STATE_HOME/sphex, or ~/.local/state/sphex: one for each instance of the
 * appliance, which has a new name after each start. See baseline.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/spxctl/baseline.h"

#define KEPT      16u /* files: the oldest of more belong to appliances long gone */
#define NAME_LONG 64u /* bytes of an instance */

static int
state_folder(char path[PATH_MAX], struct spx_error *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	const struct passwd *user;
	int n;

	if (state != NULL && state[0] == '/') {
		n = snprintf(path, PATH_MAX, "%s/sphex", state);
	} else {
		if (home == NULL || home[0] != '/') {
			user = getpwuid(geteuid());
			home = user != NULL ? user->pw_dir : "/";
		}
		n = snprintf(path, PATH_MAX, "%s/.local/state/sphex", home);
	}
	return n < PATH_MAX ? 0
			    : spx_error(err, -ENAMETOOLONG, "the path of the state directory is too long");
}

/* The instance becomes a file's name, so it may have letters and digits only. */
static int
baseline_path(const json_t *hello, const char *end, char path[PATH_MAX], struct spx_error *err)
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
	const char *instance = json_string_value(json_object_get(hello, "instance"));
	size_t used;
	int r;

	if (instance == NULL || instance[0] == '\0' || strlen(instance) > NAME_LONG ||
		instance[strspn(instance, allowed)] != '\0')
		return spx_error(err, -EPROTO, "the appliance did not say which instance it is");
	r = state_folder(path, err);
	if (r != 0)
		return r;
	used = strlen(path);
	if ((size_t)snprintf(path + used, PATH_MAX - used, "/%s%s", instance, end) >= PATH_MAX - used)
		return spx_error(err, -ENAMETOOLONG, "the path of the state directory is too long");
	return 0;
}

/* Makes a folder and those above it. */
static int
make_folder(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = mkdir(path, 0700);
		*slash = '/';
		if (r != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

json_t *
spx_baseline_load(const json_t *hello)
{
	char path[PATH_MAX];
	json_t *baseline;

	if (baseline_path(hello, ".json", path, NULL) != 0)
		return NULL;
	baseline = json_load_file(path, 0, NULL);
	if (json_is_object(json_object_get(baseline, "results")) &&
		json_is_integer(json_object_get(baseline, "time")))
		return baseline;
	json_decref(baseline);
	return NULL;
}

/* ---- old ones -------------------------------------------------------------------------------------- */

struct old {
	char name[NAME_LONG + sizeof(".json")];
	time_t written;
};

static int
newest_first(const void *a, const void *b)
{
	const struct old *x = a, *y = b;

	return (x->written < y->written) - (x->written > y->written);
}

/* Removes all but the newest: nobody else would. */
static void
remove_old(const char *folder)
{
	struct old old[4 * KEPT];
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;
	unsigned n = 0;

	if (dir == NULL)
		return;
	while (n < RTE_DIM(old) && (entry = readdir(dir)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length < sizeof(old[n].name) && length > 5 &&
			strcmp(entry->d_name + length - 5, ".json") == 0 &&
			fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			memcpy(old[n].name, entry->d_name, length + 1);
			old[n++].written = st.st_mtime;
		}
	}
	qsort(old, n, sizeof(old[0]), newest_first);
	for (unsigned i = KEPT; i < n; i++)
		unlinkat(dirfd(dir), old[i].name, 0);
	closedir(dir);
}

/* ---- the present one ------------------------------------------------------------------------------- */

/* Written beside and renamed, so that a "show" at the same time never reads half of it. */
static int
write_baseline(const json_t *baseline, const char *path, const char *part)
{
	FILE *file = fopen(part, "we");
	bool bad;

	if (file == NULL)
		return -errno;
	bad = json_dumpf(baseline, file, JSON_COMPACT) != 0;
	if (fclose(file) != 0 || bad || rename(part, path) != 0) {
		int r = errno != 0 ? -errno : -EIO;

		unlink(part);
		return r;
	}
	return 0;
}

int
spx_baseline_save(const json_t *hello, json_t *results, json_t **baseline, struct spx_error *err)
{
	char path[PATH_MAX], part[PATH_MAX], end[32];
	int r = baseline_path(hello, ".json", path, err);

	*baseline = json_pack("{s:O, s:I, s:o}", "instance", json_object_get(hello, "instance"), "time",
		(json_int_t)time(NULL), "results", results);
	snprintf(end, sizeof(end), ".%ld.part", (long)getpid());
	if (r == 0)
		r = baseline_path(hello, end, part, err);
	if (r != 0 || *baseline == NULL) {
		json_decref(*baseline);
		return r != 0 ? r : spx_error(err, -ENOMEM, "no memory");
	}
	r = make_folder(path);
	if (r == 0)
		r = write_baseline(*baseline, path, part);
	if (r != 0) {
		json_decref(*baseline);
		return spx_error(err, r, "cannot write %s (%s)", path, strerror(-r));
	}
	*strrchr(path, '/') = '\0';
	remove_old(path);
	return 0;
}

int
spx_baseline_remove(const json_t *hello, struct spx_error *err)
{
	char path[PATH_MAX];
	int r = baseline_path(hello, ".json", path, err);

	if (r != 0)
		return r;
	if (unlink(path) == 0)
		return 0;
	return spx_error(err, -errno, "cannot remove %s (%s)", path, strerror(errno));
}

void
spx_baseline_time(const json_t *baseline, char text[32])
{
	time_t t = (time_t)json_integer_value(json_object_get(baseline, "time"));
	struct tm local;

	if (localtime_r(&t, &local) == NULL || strftime(text, 32, "%Y-%m-%d %H:%M:%S", &local) == 0)
		snprintf(text, 32, "?");
}
