/* Why an xdp port did not start. DPDK's device reports every failure as "invalid"; here its steps are done
 * again, one by one, until the kernel says no with a reason.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "drivers/xdp/object.h"
#include "drivers/xdp/xdp_internal.h"

/* What libbpf said last on this thread, such as the kernel's own words for why it does not attach a program.
 */
static __thread char last_words[256];

static int
keep_words(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN)
		vsnprintf(last_words, sizeof(last_words), format, arguments);
	last_words[strcspn(last_words, "\n")] = '\0';
	return 0;
}

void
spx_xdp_listen(void)
{
	libbpf_set_print(keep_words);
}

static int
explain_attach(const struct spx_xdp *x, const struct spx_port *p, int program, struct spx_error *err)
{
	const char *interface = p->options.interface;
	struct bpf_xdp_attach_opts ours = {.sz = sizeof(ours), .old_prog_fd = program};
	int r;

	last_words[0] = '\0';
	r = bpf_xdp_attach((int)x->if_index, program, XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	if (r < 0)
		return spx_error(err, r,
			"the kernel does not attach the steering program to interface %s: %s. %s; drivers "
			"that refuse may "
			"want a smaller MTU (of the peer too), fewer queues, or LRO off (ethtool -K %s lro "
			"off)",
			interface, strerror(-r), last_words, interface);
	bpf_xdp_detach((int)x->if_index, 0, &ours);
	return 0;
}

static int
explain_program(const struct spx_xdp *x, const struct spx_port *p, struct spx_error *err)
{
	struct bpf_object *object = bpf_object__open_mem(spx_steer_object, spx_steer_object_size, NULL);
	int r = object == NULL ? -errno : bpf_object__load(object);

	if (r < 0)
		spx_error(err, r,
			"the kernel does not load the steering program: %s. %s; it has to be Linux 5.10 or "
			"newer, and "
			"inside of a container CAP_BPF and CAP_NET_ADMIN of the machine are needed",
			strerror(-r), last_words);
	else
		r = explain_attach(x, p, bpf_program__fd(bpf_object__next_program(object, NULL)), err);
	bpf_object__close(object);
	return r;
}

int
spx_xdp_explain(const struct spx_xdp *x, const struct spx_port *p, int code, struct spx_error *err)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return spx_error(err, code, "no AF_XDP socket: %s; a kernel with CONFIG_XDP_SOCKETS expected",
			strerror(errno));
	close(fd);
	last_words[0] = '\0';
	r = explain_program(x, p, err);
	if (r < 0)
		return code;
	return spx_error(err, code,
		"DPDK's AF_XDP device does not start on interface %s, its own message stands above; does "
		"another program "
		"have an AF_XDP socket there, or is packet memory short (memory.mbufs)?",
		p->options.interface);
}
