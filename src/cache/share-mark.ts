import { Redis } from 'ioredis'
import { withServerName } from './redis-client.js'
import { Revocations } from './revocations.js'

/**
 * Tells every process, from one that follows no marks itself, that this user's sessions of older epochs are over.
 * @returns what kept Redis from taking it; null: it is told
 */
export async function shareMark (url: string, prefix: string, lifeMs: number, mark: { user_id: number, epoch: number }): Promise<Error | null> {
  let failure: Error | null = null
  const redis = withServerName(new Redis(url, { autoResubscribe: false, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 2000, connectTimeout: 2000, lazyConnect: true, retryStrategy: () => null }))
  redis.on('error', () => {}) // `mark` reports it
  const revocations = new Revocations({ redis, prefix, lifeMs, epochOf: async () => null, onFailure: (error) => { failure = error } })
  try {
    await redis.connect().catch(() => {})
    await revocations.mark(mark.user_id, mark.epoch)
    return failure
  } finally {
    revocations.stop()
    redis.disconnect()
  }
}
