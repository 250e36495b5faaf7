/* Attaching a DPDK device (ethdev.h), and why it cannot be attached: DPDK says no more than that no driver
 * wanted it, so the usual causes are looked for here.
 */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "drivers/ethdev/ethdev.h"

#define PCI_TEXT 13u /* 0000:03:00.0 and its end */

/* The PCI address that devargs begin with, in full. False: they begin with none. */
static bool
pci_address(const char *device, char address[PCI_TEXT])
{
	unsigned domain = 0, bus, slot, function;
	int n = 0;

	if (sscanf(device, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &n) != 4) {
		domain = 0;
		n = 0;
		if (sscanf(device, "%2x:%2x.%1x%n", &bus, &slot, &function, &n) != 3)
			return false;
	}
	if (device[n] != '\0' && device[n] != ',')
		return false;
	snprintf(address, PCI_TEXT, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff, slot & 0xff,
		function & 0xf);
	return true;
}

static void
explain_pci(const char *device, const char *address, struct spx_error *err)
{
	char path[64], target[PATH_MAX];
	const char *driver;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (access(path, F_OK) != 0) {
		spx_error(err, -ENODEV,
			"cannot attach device \"%s\": this machine has no PCI device %s; lspci -D shows "
			"those "
			"it has",
			device, address);
		return;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	driver = strrchr(target, '/') == NULL ? "no driver" : strrchr(target, '/') + 1;
	if (strcmp(driver, "vfio-pci") == 0)
		spx_error(err, -ENODEV,
			"cannot attach device \"%s\": it is bound to vfio-pci, so either DPDK has no driver "
			"for "
			"it, or another process has it, or other devices of its IOMMU group are not bound to "
			"vfio-pci; DPDK's own message stands above",
			device);
	else
		spx_error(err, -ENODEV,
			"cannot attach device \"%s\": it is bound to %s, and DPDK works with vfio-pci; bind "
			"it: "
			"modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci %s",
			device, driver, address);
}

/* The interface that devargs name as iface=, when there is none of that name. */
static bool
interface_missing(const char *device, char name[IF_NAMESIZE])
{
	const char *found = strstr(device, ",iface=");

	return found != NULL && strncmp(device, "net_tap", 7) != 0 && /* which makes its interface */
	       sscanf(found, ",iface=%15[^,]", name) == 1 && if_nametoindex(name) == 0;
}

static void
explain(const char *device, int code, struct spx_error *err)
{
	char address[PCI_TEXT], interface[IF_NAMESIZE];

	if (pci_address(device, address))
		explain_pci(device, address, err);
	else if (interface_missing(device, interface))
		spx_error(err, -ENODEV,
			"cannot attach device \"%s\": there is no interface %s; ip link shows those of this "
			"network namespace",
			device, interface);
	else
		spx_error(err, -ENODEV,
			"cannot attach device \"%s\" (%s); a PCI address of a device bound to vfio-pci, or a "
			"virtual device such as net_null0 or net_af_packet0,iface=NAME (may need root), is "
			"expected",
			device, strerror(-code));
}

int
spx_ethdev_attach(const char *device, uint16_t *port_id, struct spx_error *err)
{
	struct rte_dev_iterator iterator;
	int r = rte_dev_probe(device);

	if (r < 0 && r != -EEXIST) {
		explain(device, r, err);
		return -ENODEV;
	}
	*port_id = RTE_MAX_ETHPORTS;
	RTE_ETH_FOREACH_MATCHING_DEV(*port_id, device, &iterator)
	{
		rte_eth_iterator_cleanup(&iterator);
		break;
	}
	if (!rte_eth_dev_is_valid_port(*port_id))
		return spx_error(err, -ENODEV, "device \"%s\" is there but is no Ethernet device", device);
	return 0;
}
