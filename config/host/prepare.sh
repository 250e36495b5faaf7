#!/bin/sh
# Prepares a Debian 12 machine for sphex on NICs: reserves hugepages, loads vfio-pci, binds devices to it.
# Until the next boot, or for good by a unit that runs this before sphex. doc/operations.md explains each step.
#
#   prepare.sh MEGABYTES [PCI-ADDRESS...]
#
# A device that is bound to vfio-pci is gone for the kernel: do not name the one you are logged in over
# (dpdk-devbind.py refuses those with routes).
set -eu

if [ $# -lt 1 ] || ! [ "$1" -gt 0 ] 2>/dev/null; then
  echo "usage: $0 MEGABYTES [PCI-ADDRESS...]; MEGABYTES of hugepages, at least memory.megabytes" >&2
  exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "$0: root expected" >&2
  exit 1
fi
megabytes=$1
shift

kilobytes=$(sed -n 's/^Hugepagesize: *\([0-9]*\) kB/\1/p' /proc/meminfo)
pages=$(((megabytes * 1024 + kilobytes - 1) / kilobytes))
echo "$pages" >/proc/sys/vm/nr_hugepages
got=$(cat /proc/sys/vm/nr_hugepages)
if [ "$got" -lt "$pages" ]; then
  echo "$0: $got of $pages hugepages of $kilobytes kB: memory is too fragmented; reserve them at boot" >&2
  exit 1
fi

[ $# -gt 0 ] || exit 0
modprobe vfio-pci
if [ -z "$(ls /sys/kernel/iommu_groups)" ]; then
  echo "$0: there is no IOMMU: switch it on in the firmware, and on Intel boot with intel_iommu=on" >&2
  exit 1
fi
dpdk-devbind.py --bind=vfio-pci "$@"
