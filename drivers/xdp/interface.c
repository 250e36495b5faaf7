/* Whether an interface can become an xdp port. DPDK's device says little when it fails ("Failed to configure
 * xdp socket") and does not notice at all what makes frames vanish later; so everything is looked at before.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "drivers/xdp/xdp_internal.h"

#define FRAME_OVERHEAD 22u   /* Ethernet header and two VLAN tags */
#define FILL_QUEUE     2048u /* mbufs that DPDK's device gives the kernel for each receive queue */
#define LOCK_NAME      "sphex-xdp-%u"

static bool
has_capability(const struct __user_cap_data_struct data[2], unsigned capability)
{
	return (data[capability / 32].effective >> (capability % 32) & 1) != 0;
}

/* SYS_ADMIN is what the kernel asks of who looks up a program or a map by its id. */
static int
check_capabilities(const struct spx_port *p, struct spx_error *err)
{
	static const struct {
		unsigned number;
		const char *name;
	} needed[] = {{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {CAP_NET_RAW, "CAP_NET_RAW"}, {CAP_BPF, "CAP_BPF"},
		{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	struct rlimit limit;
	uint64_t locked = (uint64_t)p->options.pool->populated_size * p->options.pool->elt_size;

	if (syscall(SYS_capget, &header, data) < 0)
		return 0; /* the kernel says no later */
	for (unsigned i = 0; i < RTE_DIM(needed); i++)
		if (!has_capability(data, needed[i].number))
			return spx_error(err, -EPERM,
				"this user may not use AF_XDP: %s is missing; run as root, or grant "
				"CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, CAP_SYS_ADMIN and CAP_IPC_LOCK",
				needed[i].name);
	if (!has_capability(data, CAP_IPC_LOCK) && getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
		limit.rlim_cur < locked)
		return spx_error(err, -EPERM,
			"%lu MiB of packet buffers would be locked in memory and the limit is %lu KiB; grant "
			"CAP_IPC_LOCK, or raise the limit (ulimit -l unlimited; LimitMEMLOCK=infinity in a "
			"systemd unit)",
			(locked >> 20) + 1, (uint64_t)limit.rlim_cur >> 10);
	return 0;
}

static void
keep_highest(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	uintptr_t *end = arg, here = (uintptr_t)object + pool->elt_size + pool->trailer_size;

	(void)index;
	*end = RTE_MAX(*end, here);
}

/* DPDK's device shows the kernel `n * size of an object` bytes from the pool's first chunk: an mbuf beyond
 * would be refused at each use and never come back. */
static int
check_pool(struct rte_mempool *pool, uint16_t queues, struct spx_error *err)
{
	uint32_t object = pool->header_size + pool->elt_size + pool->trailer_size;
	const struct rte_mempool_memhdr *chunk = STAILQ_FIRST(&pool->mem_list);
	uintptr_t end = 0;

	if (object > (uint32_t)getpagesize())
		return spx_error(err, -EINVAL,
			"packet buffers of %u bytes are larger than a page, which AF_XDP does not take: with "
			"xdp "
			"ports in the configuration max_frame of every port is at most %u",
			object, SPX_XDP_FRAME_MAX);
	if (rte_mempool_avail_count(pool) <= queues * FILL_QUEUE)
		return spx_error(err, -ENOMEM,
			"%u packet buffers are free, and its %u queues take %u each; raise memory.mbufs",
			rte_mempool_avail_count(pool), queues, FILL_QUEUE);
	rte_mempool_obj_iter(pool, keep_highest, &end);
	if (pool->nb_mem_chunks != 1 ||
		end > (uintptr_t)chunk->addr + (uintptr_t)object * pool->populated_size)
		return spx_error(err, -EINVAL,
			"the packet buffers do not lie side by side in memory, as AF_XDP wants them; fewer "
			"memory.mbufs may help");
	return 0;
}

/* Queues that receive, or a negative errno: what ethtool calls combined; where there are none of these DPDK's
 * device takes the first queue alone. */
static int
count_queues(const char *interface, int fd, bool *combined)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};

	memcpy(request.ifr_name, interface, strlen(interface) + 1);
	*combined = false;
	if (ioctl(fd, SIOCETHTOOL, &request) < 0)
		return errno == EOPNOTSUPP ? 1 : -errno;
	*combined = channels.max_combined != 0;
	return (int)(*combined ? channels.combined_count : RTE_MAX(channels.rx_count, 1u));
}

static int
check_queues(struct spx_xdp *x, const struct spx_port *p, int fd, struct spx_error *err)
{
	const struct spx_port_options *o = &p->options;
	bool combined;
	int there = count_queues(o->interface, fd, &combined);
	unsigned most = combined ? RTE_MIN(o->workers, SPX_STEER_QUEUES) : 1;

	if (there < 0)
		return spx_error(err, there, "interface %s does not say how many queues it has (%s)",
			o->interface, strerror(-there));
	if (o->queues > there)
		return spx_error(err, -EINVAL,
			"interface %s has %d queues and \"queues\" is %u; ethtool -L %s combined %u, or "
			"fewer queues",
			o->interface, there, o->queues, o->interface, o->queues);
	x->queues = o->queues != 0 ? o->queues : (uint16_t)there;
	if (x->queues > most)
		return spx_error(err, -EINVAL,
			"interface %s has %d receive queues and %u can be served (one for each worker%s): "
			"what "
			"comes by the others would stay with the kernel; ethtool -L %s %s %u, %sor "
			"\"queues\": %u",
			o->interface, there, most, combined ? "" : ", and this driver's are no combined ones",
			o->interface, combined ? "combined" : "rx", most, combined ? "more workers, " : "",
			most);
	if (x->queues < there)
		spx_log(SPX_LOG_INFO, "port %s: queues %u to %d of %s stay with the kernel", o->name,
			x->queues, there - 1, o->interface);
	return 0;
}

static int
check_interface(struct spx_xdp *x, const struct spx_port *p, int fd, struct spx_error *err)
{
	const char *interface = p->options.interface;
	struct ifreq request = {0};
	uint32_t frame;

	x->if_index = if_nametoindex(interface);
	if (x->if_index == 0)
		return spx_error(err, -ENODEV,
			"there is no interface %s (%s); ip link shows those of this network "
			"namespace",
			interface, strerror(errno));
	memcpy(request.ifr_name, interface, strlen(interface) + 1);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0 || (request.ifr_flags & IFF_UP) == 0)
		return spx_error(
			err, -ENETDOWN, "interface %s is down; ip link set dev %s up", interface, interface);
	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		return spx_error(err, -errno, "interface %s has no MTU (%s)", interface, strerror(errno));
	frame = (uint32_t)request.ifr_mtu + FRAME_OVERHEAD;
	if (frame > SPX_XDP_FRAME_MAX)
		return spx_error(err, -EMSGSIZE,
			"interface %s has MTU %d, and AF_XDP takes up to %u; ip link set dev %s mtu 1500",
			interface, request.ifr_mtu, SPX_XDP_FRAME_MAX - FRAME_OVERHEAD, interface);
	if (frame > p->options.max_frame)
		return spx_error(err, -EMSGSIZE,
			"interface %s has MTU %d, so its frames have up to %u bytes with two VLAN tags; set "
			"\"max_frame\" to %u, or ip link set dev %s mtu %u",
			interface, request.ifr_mtu, frame, frame, interface,
			p->options.max_frame - FRAME_OVERHEAD);
	return check_queues(x, p, fd, err);
}

int
spx_xdp_check(struct spx_xdp *x, const struct spx_port *p, struct spx_error *err)
{
	int fd, r;

	if (strlen(p->options.interface) >= IF_NAMESIZE)
		return spx_error(err, -EINVAL, "%s is no name of an interface: at most %d bytes expected",
			p->options.interface, IF_NAMESIZE - 1);
	r = check_capabilities(p, err);
	if (r < 0)
		return r;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return spx_error(err, -errno, "no socket to ask the kernel by (%s)", strerror(errno));
	r = check_interface(x, p, fd, err);
	close(fd);
	return r < 0 ? r : check_pool(p->options.pool, x->queues, err);
}

/* Abstract names belong to the network namespace, as interfaces do, and go with the process that holds them.
 */
int
spx_xdp_lock(struct spx_xdp *x, const struct spx_port *p, struct spx_error *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, LOCK_NAME, x->if_index);
	int r;

	x->lock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (x->lock >= 0 &&
		bind(x->lock, (struct sockaddr *)&name,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0)
		return 0;
	r = -errno;
	if (r == -EADDRINUSE)
		return spx_error(err, -EBUSY,
			"another sphex has interface %s (it holds the socket @%s); stop that one, or take "
			"another "
			"interface",
			p->options.interface, name.sun_path + 1);
	return spx_error(err, r, "interface %s cannot be locked (%s)", p->options.interface, strerror(-r));
}
