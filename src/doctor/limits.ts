import { setTimeout as wait } from 'node:timers/promises'
import { SilenceError } from './trouble.js'

/** Milliseconds for a service to let us in, and for each answer after it. */
export const ANSWER_MS = 3000
/** For all that is asked of one service. The services are asked at the same time. */
export const SERVICE_MS = 9000

/** @throws SilenceError when it takes longer */
export async function inTime<T> (work: Promise<T>, limitMs = ANSWER_MS): Promise<T> {
  const over = new AbortController()
  const silence = wait(limitMs, undefined, { signal: over.signal }).then(() => { throw new SilenceError(`no answer within ${limitMs} ms`) })
  silence.catch(() => {}) // also when the work is done first
  try {
    return await Promise.race([work, silence])
  } finally {
    over.abort()
  }
}
