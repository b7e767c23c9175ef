import { setTimeout as wait } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { logLine } from '../logs/log-line.js'
import { isTransient } from '../store/failures.js'
import { keyNames } from '../store/taken-names.js'

/** Milliseconds. Where nothing is left to key a look costs one empty index. */
const NEXT_LOOK_MS = 3_600_000
const RETRY_MS = 5000

/** Keys the plain hashes of erased names that the release before left, and leaves as long as one of its processes runs. */
export const takenNamesPlugin = fp(async (app) => {
  const stopping = new AbortController()
  const key = async (): Promise<number> => {
    try {
      const names = await keyNames(app.pg.pool, app.pseudonyms)
      if (names > 0) logLine(app.log, { event: 'names_keyed', names })
      return NEXT_LOOK_MS
    } catch (error) {
      if (!isTransient(error)) throw error
      return RETRY_MS
    }
  }
  const follow = async () => {
    while (!stopping.signal.aborted) {
      await app.health.whenUp('postgres', stopping.signal) // the tables are there then
      if (stopping.signal.aborted) return
      await wait(await key(), undefined, { signal: stopping.signal, ref: false }).catch(() => {})
    }
  }
  let following = Promise.resolve()
  app.addHook('onReady', async () => {
    following = follow()
    following.catch(() => {}) // told at the end
  })
  app.addHook('onClose', async () => {
    stopping.abort()
    await following
  })
}, { name: 'taken-names', dependencies: ['postgres', 'health', 'pseudonyms'] })
