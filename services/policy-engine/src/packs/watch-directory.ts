import { watch, type FSWatcher } from "node:fs";

interface WatchOptions {
  readonly directory: string;
  /** Called after a change and at each poll; its own failures are its own affair. */
  onChange(): Promise<void>;
  /** Quiet time after the last event before `onChange`: an editor's save is several events. */
  readonly debounceMs?: number;
  /** Not every change is an event: network file systems, replaced directories and swapped mounts send none. */
  readonly pollMs?: number;
}

export interface DirectoryWatch {
  /** Resolves when nothing is called any more and what was called has ended. */
  close(): Promise<void>;
}

/**
 * Calls `onChange` soon after something in the directory changed, and now and then in any case. It watches the
 * directory and never a file: a save by rename gives the file another inode, which a watch on the file would lose.
 * A directory that is not there yet is watched from the poll on that finds it.
 */
export function watchDirectory(options: WatchOptions): DirectoryWatch {
  const { directory, debounceMs = 150, pollMs = 5_000 } = options;
  let watcher: FSWatcher | undefined;
  let pending: NodeJS.Timeout | undefined;
  const running = new Set<Promise<void>>();

  function change(): void {
    const run = options.onChange().finally(() => running.delete(run));
    running.add(run);
  }
  function trigger(): void {
    clearTimeout(pending);
    pending = setTimeout(change, debounceMs);
  }
  function unwatch(): void {
    watcher?.close();
    watcher = undefined;
  }
  function attach(): void {
    if (watcher) return;
    try {
      watcher = watch(directory, { persistent: false }, (event, name) => {
        trigger();
        // The directory itself was moved or deleted: look for it again by name at the next poll.
        if (event === "rename" && name === null) unwatch();
      });
      watcher.on("error", unwatch);
    } catch {
      unwatch();
    }
  }

  attach();
  const poll = setInterval(() => {
    // Anew each time: a directory that was replaced keeps its name and not its inode.
    unwatch();
    attach();
    // Not through `trigger`: a stream of events that never rests would put it off for ever.
    change();
  }, pollMs);
  return {
    async close() {
      clearInterval(poll);
      clearTimeout(pending);
      unwatch();
      await Promise.all(running);
    },
  };
}
