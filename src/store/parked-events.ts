import { createHash } from 'node:crypto'
import { type Client, run } from './database.js'

export interface ParkedEvent {
  /** `queue`, `outbox` or `dead`: where it was taken from */
  source: 'queue' | 'outbox' | 'dead'
  reason: string
  attempts: number
  headers: Record<string, unknown>
  /** As it came, never decoded. */
  raw: Buffer
}

/** Keyed by the hash of the bytes: parking the same bytes again only raises the attempts. */
export async function park (client: Client, parked: readonly ParkedEvent[]): Promise<void> {
  for (const { source, reason, attempts, headers, raw } of parked) {
    const hash = createHash('sha256').update(raw).digest()
    await run(client, 'park', `
      insert into parked_events (hash, source, reason, attempts, headers, raw) values ($1, $2, $3, $4, $5, $6)
      on conflict (hash) do update set attempts = parked_events.attempts + excluded.attempts`,
    [hash, source, reason, attempts, JSON.stringify(headers), raw])
  }
}
