/* Capsules over ordinary UDP sockets; see capsule.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/spxctl/capsule.h"

double
spx_capsule_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- addresses ------------------------------------------------------------------------------------- */

void
spx_capsule_address(const struct sockaddr_storage *address, char text[SPX_CTL_ADDRESS_MAX])
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, SPX_CTL_ADDRESS_MAX);
	else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, SPX_CTL_ADDRESS_MAX);
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, text, SPX_CTL_ADDRESS_MAX);
}

uint16_t
spx_capsule_address_port(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	return ntohs(address->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

/* Any address of this machine; returns the length. */
static socklen_t
any_address(int family, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memset(address, 0, sizeof(*address));
	memcpy(address, family == AF_INET ? (const void *)&v4 : (const void *)&v6,
		family == AF_INET ? sizeof(v4) : sizeof(v6));
	return family == AF_INET ? sizeof(v4) : sizeof(v6);
}

/* ---- making ---------------------------------------------------------------------------------------- */

/* Closes the descriptor where there is an error. */
static int
give_up(int fd)
{
	int error = -errno;

	if (fd >= 0)
		close(fd);
	return error;
}

/* Packets are not fragmented on the way: no node runs a fragment. */
static int
connect_to(const struct addrinfo *to, uint16_t port)
{
	int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), whole = IP_PMTUDISC_DO;
	struct sockaddr_storage own;
	socklen_t length = any_address(to->ai_family, port, &own);

	if (fd < 0 || (port != 0 && bind(fd, (const void *)&own, length) != 0) ||
		setsockopt(fd, to->ai_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
			to->ai_family == AF_INET ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &whole,
			sizeof(whole)) != 0 ||
		connect(fd, to->ai_addr, to->ai_addrlen) != 0)
		return give_up(fd);
	return fd;
}

static int
bind_error(uint16_t port, int error, struct spx_error *err)
{
	if (error == -EADDRINUSE)
		return spx_error(err, error,
			"UDP port %u of this machine is taken by another program; choose one with --port",
			port);
	return spx_error(err, error, "cannot use UDP port %u of this machine (%s)", port, strerror(-error));
}

int
spx_capsule_connect(const char *host, uint16_t port, struct sockaddr_storage *to, struct spx_error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	char service[8];
	int fd = -ENOENT, r;

	snprintf(service, sizeof(service), "%u", SPX_CAPSULE_PORT);
	r = getaddrinfo(host, service, &hints, &found);
	if (r != 0)
		return spx_error(err, -ENOENT, "%s: %s; the name or address of a host expected", host,
			gai_strerror(r));
	for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
		fd = connect_to(a, port);
		if (fd >= 0)
			memcpy(to, a->ai_addr, a->ai_addrlen);
	}
	freeaddrinfo(found);
	if (fd == -EADDRINUSE || fd == -EACCES)
		return bind_error(port, fd, err);
	if (fd < 0)
		return spx_error(err, fd, "%s: no capsule can be sent there (%s)", host, strerror(-fd));
	return fd;
}

int
spx_capsule_listen(uint16_t port, struct spx_error *err)
{
	int family = AF_INET6, off = 0, fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage own;
	socklen_t length;

	if (fd < 0) { /* a machine without IPv6 */
		family = AF_INET;
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	length = any_address(family, port, &own);
	if (fd < 0 ||
		(family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) ||
		bind(fd, (const void *)&own, length) != 0)
		return bind_error(port, give_up(fd), err);
	return fd;
}

/* ---- packets --------------------------------------------------------------------------------------- */

int
spx_capsule_send(int fd, const uint8_t *bytes, size_t n, struct spx_error *err)
{
	if (send(fd, bytes, n, 0) == (ssize_t)n)
		return 0;
	if (errno == ECONNREFUSED)
		return -ECONNREFUSED;
	if (errno == EMSGSIZE)
		return spx_error(err, -EMSGSIZE,
			"%zu bytes do not go in one packet, and no node runs a fragment; a shorter --payload "
			"expected",
			n);
	return spx_error(err, -errno, "cannot send (%s)", strerror(errno));
}

ssize_t
spx_capsule_receive(int fd, double end, uint8_t *buffer, struct sockaddr_storage *from)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	socklen_t length = sizeof(*from);
	ssize_t n;
	int r;

	/* The time counts also where one packet follows the other. */
	do {
		double left = end - spx_capsule_now();

		if (left <= 0)
			return -ETIMEDOUT;
		r = poll(&ready, 1, (int)RTE_MIN(ceil(left * 1000), 1e6));
	} while (r == 0 || (r < 0 && errno == EINTR));
	if (r < 0)
		return -errno;
	n = recvfrom(fd, buffer, SPX_CTL_DATAGRAM_MAX, 0, (void *)from, &length);
	return n < 0 ? -errno : n;
}
