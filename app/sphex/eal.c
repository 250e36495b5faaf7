/* Starting DPDK: memory with or without hugepages, lcores on the CPUs of the setup, no files left behind. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_vect.h>

#include "app/sphex/appliance.h"

#define ARGS_MAX         (16 + 2 * SPX_PORTS_MAX)
#define TELEMETRY_SOCKET "dpdk_telemetry.v2" /* in EAL's runtime directory */

/* Free hugepages of the default size, in MiB. */
static uint64_t
free_hugepage_mb(void)
{
	unsigned long free_pages = 0, size_kb = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "r");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		sscanf(line, "HugePages_Free: %lu", &free_pages);
		sscanf(line, "Hugepagesize: %lu", &size_kb);
	}
	fclose(f);
	return (uint64_t)free_pages * size_kb / 1024;
}

static bool
use_hugepages(const struct spx_setup *setup, struct spx_error *err)
{
	uint64_t free_mb = free_hugepage_mb();

	if (setup->hugepages == SPX_HUGEPAGES_OFF)
		return false;
	if (setup->hugepages == SPX_HUGEPAGES_AUTO)
		return free_mb >= setup->memory_mb && geteuid() == 0;
	if (free_mb < setup->memory_mb)
		spx_error(err, -ENOMEM,
			"hugepages are asked for, %u MiB of them, and %lu MiB are free; reserve more "
			"(echo %u > /proc/sys/vm/nr_hugepages for 2 MiB pages) or set memory.hugepages to "
			"\"auto\"",
			setup->memory_mb, free_mb, (setup->memory_mb + 1) / 2);
	return true;
}

static uint64_t
total_mb(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
}

/* One instance at a time looks for free hugepages and takes them, or several would see the same ones. Returns
 * a file descriptor to close, or -1 where there are no hugepages to share. */
static int
lock_hugepages(void)
{
	int fd = open("/sys/kernel/mm/hugepages", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

/* The CPUs this process may use. Returns how many. */
static unsigned
allowed_cpus(int cpu[CPU_SETSIZE])
{
	cpu_set_t set;
	unsigned n = 0;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	return n;
}

static bool
is_allowed(int asked, const int cpu[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (cpu[i] == asked)
			return true;
	return asked < 0; /* chosen at start */
}

/* What to do about a CPU at that JSON path: taskset, cgroups and isolcpus keep processes off CPUs that are
 * there.
 */
static int
not_allowed(const char *path, int asked, const int cpu[], unsigned n, struct spx_error *err)
{
	return spx_error(err, -EINVAL,
		"%s: is %d; a CPU that this process may use expected: %u of them, %d to %d%s", path, asked, n,
		cpu[0], cpu[n - 1],
		asked < sysconf(_SC_NPROCESSORS_CONF)
			? "; the machine has it, so start sphex with taskset -c that names it, or "
			  "CPUAffinity= in a systemd unit"
			: "");
}

int
spx_eal_check(const struct spx_setup *setup, struct spx_error *err)
{
	int cpu[CPU_SETSIZE];
	unsigned n = allowed_cpus(cpu);
	char path[32];

	if (!is_allowed(setup->slowpath_cpu, cpu, n))
		return not_allowed("$.slowpath.cpu", setup->slowpath_cpu, cpu, n, err);
	if (setup->memory_mb > total_mb())
		return spx_error(err, -EINVAL,
			"$.memory.megabytes: is %u; less than this machine's %lu expected", setup->memory_mb,
			total_mb());
	for (uint16_t w = 0; w < setup->workers; w++) {
		snprintf(path, sizeof(path), "$.workers.cpus[%u]", w);
		if (!is_allowed(setup->worker_cpu[w], cpu, n))
			return not_allowed(path, setup->worker_cpu[w], cpu, n, err);
	}
	return 0;
}

/* "0@0,1@1,...": the slow path on the first CPU, workers on the others, sharing when there are too few. */
static void
place_lcores(const struct spx_setup *setup, char *text, size_t size)
{
	int cpu[CPU_SETSIZE];
	unsigned n = allowed_cpus(cpu);
	size_t used = (size_t)snprintf(
		text, size, "--lcores=0@%d", setup->slowpath_cpu >= 0 ? setup->slowpath_cpu : cpu[0]);

	for (uint16_t w = 0; w < setup->workers; w++)
		used += (size_t)snprintf(text + used, size - used, ",%u@%d", w + 1u,
			setup->worker_cpu[w] >= 0 ? setup->worker_cpu[w] : cpu[(w + 1) % n]);
}

/* True for a PCI address: 0000:03:00.0 or 03:00.0, with or without arguments behind it. */
static bool
is_pci(const char *device)
{
	regex_t regex;
	bool match;

	if (device == NULL || regcomp(&regex, "^([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7](,|$)",
				      REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	match = regexec(&regex, device, 0, NULL, 0) == 0;
	regfree(&regex);
	return match;
}

/* EAL looks only at the PCI devices of the setup; without any, at none, and then nothing needs physical
 * addresses: memory in one piece, as AF_XDP wants its mbufs, need not be so in hugepages that are scattered.
 * Returns the new argc. */
static int
add_devices(const struct spx_setup *setup, char *argv[], int argc)
{
	int first = argc;

	for (uint16_t i = 0; i < setup->n_ports; i++)
		if (is_pci(setup->port[i].device)) {
			argv[argc++] = (char *)"-a";
			argv[argc++] = setup->port[i].device;
		}
	if (argc == first) {
		argv[argc++] = (char *)"--no-pci";
		argv[argc++] = (char *)"--iova-mode=va";
	}
	return argc;
}

/* Whether EAL has a place of its own for telemetry's socket. With a path that is too long it would not start,
 * and without a runtime directory it would put the socket where other instances have theirs. */
static bool
telemetry_has_place(void)
{
	const char *base = getenv("RUNTIME_DIRECTORY"), *user = getenv("XDG_RUNTIME_DIR");
	char path[PATH_MAX];
	int n;

	if (base == NULL) /* where EAL looks */
		base = getuid() == 0 ? "/var/run" : user != NULL ? user : "/tmp";
	n = snprintf(path, sizeof(path), "%s/dpdk/sphex-%d/" TELEMETRY_SOCKET, base, getpid());
	if (n >= (int)sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return false;
	snprintf(path, sizeof(path), "%s/dpdk", base);
	return (mkdir(path, S_IRWXU) == 0 || errno == EEXIST) && access(path, W_OK | X_OK) == 0;
}

int
spx_eal_start(const struct spx_setup *setup, struct spx_error *err)
{
	struct spx_error refused = {""};
	int lock = lock_hugepages(), r;
	bool huge = use_hugepages(setup, &refused);
	char memory[16], prefix[48], lcores[16 * (SPX_WORKERS_MAX + 1)];
	char *argv[ARGS_MAX] = {
		(char *)"sphex", (char *)"--log-level=*:4", (char *)"-m", memory, prefix, lcores};
	int argc = 6;

	snprintf(memory, sizeof(memory), "%u", setup->memory_mb);
	snprintf(prefix, sizeof(prefix), "--file-prefix=sphex-%d", getpid());
	place_lcores(setup, lcores, sizeof(lcores));
	if (huge) {
		argv[argc++] = (char *)"--in-memory"; /* no hugepage files that a crash would leave behind */
	} else {
		argv[argc++] = (char *)"--no-huge";
		argv[argc++] = (char *)"--no-shconf";
	}
	if (!telemetry_has_place())
		argv[argc++] = (char *)"--no-telemetry";
	argc = add_devices(setup, argv, argc);
	r = refused.text[0] == '\0' ? rte_eal_init(argc, argv) : -1;
	close(lock);
	if (refused.text[0] != '\0')
		return spx_error(err, -ENOMEM, "%s", refused.text);
	if (r < 0)
		return spx_error(err, -rte_errno,
			"DPDK does not start (%s); its own message stands above. %u MiB of memory were asked "
			"for: "
			"memory.megabytes can be smaller, memory.hugepages \"off\"",
			rte_strerror(rte_errno), setup->memory_mb);
	rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512); /* or rte_acl runs at half its speed */
	return 0;
}

void
spx_eal_stop(void)
{
	char directory[PATH_MAX], socket[PATH_MAX + sizeof(TELEMETRY_SOCKET)];

	snprintf(directory, sizeof(directory), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	if (directory[0] == '\0') /* there was no place for one */
		return;
	snprintf(socket, sizeof(socket), "%s/" TELEMETRY_SOCKET, directory);
	unlink(socket); /* telemetry does that when the process exits, which is too late for the directory */
	rmdir(directory); /* empty: EAL made it and leaves it */
}
