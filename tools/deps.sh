#!/bin/sh
# Installs the Debian 12 packages that building, testing and checking need. When all of them are there, it
# asks dpkg once and ends: no network, no root.
set -eu

# build and run (libdpdk-dev depends on every driver library, net_null to net_af_xdp)
packages="gcc libc6-dev make pkgconf meson ninja-build libdpdk-dev dpdk libjansson-dev libpcap-dev libbpf-dev"
packages="$packages zlib1g-dev clang linux-libc-dev"
# tests and benchmarks
packages="$packages libcriterion-dev tcpdump ethtool iproute2 iputils-ping traceroute netcat-openbsd"
packages="$packages procps util-linux python3"
packages="$packages python3-jsonschema python3-scapy jq valgrind tshark"
# checks and fuzzing
packages="$packages git clang-format clang-tidy cppcheck libclang-rt-14-dev llvm"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "deps: this is no Debian system; install what these Debian 12 packages hold: $packages" >&2
  exit 1
fi

# shellcheck disable=SC2086 # the list is words
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null || true)
missing=
for package in $packages; do
  echo "$installed" | grep -qx "$package installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
  else
    echo "deps: Debian packages are missing. As root, run" >&2
    echo "  apt-get update && apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1
}
install() {
  # shellcheck disable=SC2086 # the list is words
  apt install -y --no-install-recommends $missing
}

# shellcheck disable=SC2086 # the list is words
echo "deps: installing $(echo $missing | wc -w) Debian packages and what they depend on:$missing"
# Package lists that were never fetched, or name versions that are gone, are the need for an update.
install || { apt update && install; } || {
  tail -n 20 "$log" >&2
  echo "deps: apt-get failed (above). As root: apt-get install --no-install-recommends$missing" >&2
  exit 1
}
