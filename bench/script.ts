import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Cleanup } from '../testkit/cleanup.js'

/** Starts a script of the bench, by its path from this folder, that speaks with us by messages, and ends when we do. */
export function forkScript (name: string, cleanup: Cleanup, args: readonly string[] = [], env: Record<string, string> = {}): ChildProcess {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), args, { env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env } })
  cleanup.add(name, () => child.kill('SIGKILL'))
  return child
}

/** @throws Error when the script ends instead */
export async function nextMessage<T> (child: ChildProcess): Promise<T> {
  const stop = new AbortController()
  const ended = once(child, 'exit', { signal: stop.signal }).then(() => { throw new Error(`${child.spawnargs.at(-1)} ended by itself`) })
  try {
    return await Promise.race([once(child, 'message', { signal: stop.signal }).then(([message]) => message as T), ended])
  } finally {
    ended.catch(() => {})
    stop.abort()
  }
}
