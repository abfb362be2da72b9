# Starts a Qdrant peer. A peer that was once of a cluster goes on with its state. One with an empty volume joins through a
# member that lives; only the pod that the operator names as founder may found a cluster, and only while no other member is known:
# a second one under the same address would take writes that nobody finds again.
set -eu
trap 'exit 143' TERM INT

say() { echo "qdrant-librarian: $1"; }

# Measured on 1.18.3: an empty key turns authentication on, with the empty string as the key.
if [ -z "${QDRANT__SERVICE__API_KEY-none}" ] || [ -z "${QDRANT__SERVICE__READ_ONLY_API_KEY-none}" ]; then
  say 'an API key is empty: refusing to start'
  exit 1
fi

start() { exec ./qdrant --config-path "$CONFIG_FILE" --uri "$PEER_URI" "$@"; }

other_member() {
  [ -r "$PEERS_DIRECTORY/members" ] || return 0
  while read -r member || [ -n "$member" ]; do
    case "$member" in
      '' | "$PEER_URI" | "$PEER_URI/") ;;
      *) echo "$member"; return 0 ;;
    esac
  done <"$PEERS_DIRECTORY/members"
}

founder() { if [ -r "$PEERS_DIRECTORY/founder" ]; then cat "$PEERS_DIRECTORY/founder"; fi; }

# Measured on 1.18.3: the state is written before the cluster is asked, in term 0. A peer that was refused, and goes on
# with it without --bootstrap, stays alone for good.
was_member() {
  state=$QDRANT__STORAGE__STORAGE_PATH/raft_state.json
  [ -r "$state" ] || return 1
  case "$(cat "$state")" in
    *'"hard_state":{"term":0,'*) return 1 ;;
  esac
}

if was_member; then
  say 'going on with the state of this volume'
  start
fi

waits=${JOIN_WAITS:-30}
while :; do
  found=$(other_member)
  if [ -n "$found" ]; then
    say "the volume is empty: joining through $found"
    start --bootstrap "$found"
  fi
  if [ "$(founder)" = "$POD_NAME" ]; then
    say 'founding the cluster'
    start
  fi
  [ "$waits" -gt 0 ] || break
  waits=$((waits - 1))
  sleep "${JOIN_WAIT_SECONDS:-1}"
done
say 'the volume is empty and no other member lives: refusing to found a second cluster; see the annotation qdrant-librarian.io/found-again'
exit 1
