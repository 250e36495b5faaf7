# Completion of spxctl's command line for bash: source it, or install it as
# /usr/share/bash-completion/completions/spxctl. Names of ports, actions and captures are asked from the appliance
# when there is one (with jq).

# _spxctl_ask THING FILTER: the names that jq's FILTER finds in "show THING". What is no name is left out: compgen would
# expand it as the shell does.
_spxctl_ask() {
  timeout 2 "$_spxctl_program" "${_spxctl_socket[@]}" --json show "$1" 2>/dev/null | jq -r "$2" 2>/dev/null |
    grep -xE '[A-Za-z0-9_.-]+'
}
_spxctl_ports() {
  _spxctl_ask ports '.ports[].name'
}
_spxctl_actions() {
  _spxctl_ask config '.actions | keys[]'
}
_spxctl_captures() {
  _spxctl_ask captures '.captures[].id'
}

# The words that may follow the words of the command (options left out) "$@".
_spxctl_words() {
  local last=${!#}
  case "$*" in
  "") echo "show watch clear rule route address neighbour queue steer port trace capture events capsule stop help" ;;
  show) echo "ports stages drops cache flows rules routes addresses neighbours queues steer config version captures clients" ;;
  watch) echo "ports stages drops cache flows" ;;
  rule) echo "add del load show" ;;
  route) echo "add replace del load find show" ;;
  address | neighbour | steer) echo "add del show" ;;
  queue) echo "set show" ;;
  port) echo "down up" ;;
  "port "* | "queue set" | "steer add" | "steer del") (($# == 2)) && _spxctl_ports ;;
  "queue set "*) (($# % 2)) && echo "rate packets bytes" ;;
  "steer add "* | "steer del "*)
    case $last in
    udp | prefix) ;;
    *) echo "everything udp prefix" ;;
    esac
    ;;
  "route load "*) (($# == 3)) && echo "replace" ;;
  "route add "* | "route replace "*)
    case $last in
    dev) _spxctl_ports ;;
    *) echo "via dev nexthop weight blackhole unreachable prohibit" ;;
    esac
    ;;
  "address "* | "neighbour "*)
    case $last in
    dev) _spxctl_ports ;;
    *) (($# == 3)) && echo "dev" || { [[ $1 == neighbour ]] && (($# == 5)) && echo "mac"; } ;;
    esac
    ;;
  capture) echo "start stop show" ;;
  capsule) echo "send receive" ;;
  "capsule send "*)
    case $# in
    3) echo "count compare collect rchld rcollect" ;;
    6) [[ $4 == compare ]] && echo "lt le gt ge eq ne" ;;
    7) [[ $4 == collect ]] && echo "sum min max and or" ;;
    9) [[ $4 == rcollect ]] && echo "sum min max and or" ;;
    esac
    ;;
  help) echo "show watch clear rule route address neighbour queue steer port trace capture events capsule stop help" ;;
  events*) echo "condition rules capture stop" ;;
  "capture stop") _spxctl_captures ;;
  "rule load "*" action") _spxctl_actions ;;
  "rule load "*) (($# == 3)) && echo "action" ;;
  "rule add"*)
    # Keys and values take turns.
    if (($# % 2 == 0)); then
      echo "order family src dst proto sport dport vlan port ethertype action"
    else
      case $last in
      family) echo "ipv4 ipv6 other" ;;
      proto) echo "icmp igmp tcp udp gre esp ah icmpv6 ospf sctp" ;;
      port) _spxctl_ports ;;
      action) _spxctl_actions ;;
      esac
    fi
    ;;
  "capture start"*)
    case $last in
    port) _spxctl_ports ;;
    filter | snap | count) ;;
    *) echo "port in out both drops filter snap count" ;;
    esac
    ;;
  esac
}

# The options of command $1.
_spxctl_options() {
  case $1 in
  show) echo "--all --total" ;;
  watch) echo "--interval --count" ;;
  clear) echo "--undo" ;;
  trace) echo "--seconds" ;;
  capture) echo "--force" ;;
  capsule) echo "--id --ingress --egress --local --payload --count --interval --wait --port" ;;
  stop) echo "--no-wait" ;;
  esac
  echo "--socket --json --help --version"
}

_spxctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word i
  local _spxctl_program=${COMP_WORDS[0]} _spxctl_socket=() words=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
    --socket) _spxctl_socket=(--socket "${COMP_WORDS[++i]}") ;;
    --interval | --count | --seconds | --id | --payload | --wait | --port) ((i++)) ;;
    -*) ;;
    *) words+=("$word") ;;
    esac
  done
  COMPREPLY=()
  case $previous in
  --socket)
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
    ;;
  --interval | --count | --seconds | --id | --payload | --wait | --port) return ;;
  esac
  if [[ $current == -?* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_spxctl_options "${words[0]}")" -- "$current")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$(_spxctl_words "${words[@]}")" -- "$current")
  # Files, where one may stand.
  case "${words[*]}" in
  "rule load" | "route load" | "capture start"*)
    case $previous in
    port | filter | snap | count) ;;
    *) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
    esac
    ;;
  esac
}

complete -o filenames -F _spxctl spxctl
