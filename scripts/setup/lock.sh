# shellcheck shell=bash
# with_lock PATH: lets one set-up at a time go on in this checkout; released when the shell ends, however it ends.
with_lock() {
  local lock=$1
  if command -v flock >/dev/null; then
    exec 9>"$lock"
    if ! flock -n 9; then
      say "another set-up runs in this checkout; waiting for it ..."
      flock 9
    fi
    return
  fi
  lock_by_folder "$lock.d"
}

# Without flock (macOS): a folder, which only one can make, with the owner's pid; one whose owner is gone is taken over.
lock_by_folder() {
  local folder=$1 owner told=0
  until mkdir "$folder" 2>/dev/null; do
    owner=$(cat "$folder/pid" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
      # Moved before it is removed: only one of several waiters can move it.
      mv "$folder" "$folder.stale.$$" 2>/dev/null && rm -rf "$folder.stale.$$"
      continue
    fi
    [ "$told" = 1 ] || say "another set-up runs in this checkout (pid ${owner:-unknown}); waiting for it ..."
    told=1
    sleep 0.5
  done
  printf '%s\n' "$$" >"$folder/pid"
  # shellcheck disable=SC2064 # the folder's name is wanted as it is now
  trap "rm -rf '$folder'" EXIT
}
