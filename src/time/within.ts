import { setTimeout as wait } from 'node:timers/promises'

/**
 * Waits for an orderly end, but no longer than this. Closing what is already gone rejects: expected. A blocked or silent
 * peer never answers: it must not hold us.
 */
export async function within (ending: Promise<unknown>, limitMs: number): Promise<void> {
  const limit = new AbortController()
  const ended = ending.catch(() => {}).finally(() => limit.abort())
  await Promise.race([ended, wait(limitMs, undefined, { signal: limit.signal }).catch(() => {})])
}
