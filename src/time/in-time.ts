import { setTimeout as wait } from 'node:timers/promises'

/** What was waited for did not answer in its time. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError'
  readonly code = 'SILENCE'
}

/** @throws SilenceError when it takes longer */
export async function inTime<T> (work: Promise<T>, limitMs: number): Promise<T> {
  const over = new AbortController()
  const silence = wait(limitMs, undefined, { signal: over.signal }).then(() => { throw new SilenceError(`no answer within ${limitMs} ms`) })
  silence.catch(() => {}) // also when the work is done first
  try {
    return await Promise.race([work, silence])
  } finally {
    over.abort()
  }
}
