import type { ParkedSelection } from './job.js'

/** An order event that could not be booked, as operators see it. */
export interface ParkedEvent {
  /** SHA-256 of its bytes, in hex */
  parked_id: string
  /** Where it was taken from; `dead`: the broker gave it up */
  source: 'queue' | 'fallback' | 'dead'
  /** Why it was parked first. */
  reason: string
  attempts: number
  /** Order events in it that this build can read. */
  events: number
  /** Of the first of them. */
  order_id: string | null
  user_id: number | null
  bytes: number
  parked_at: string
  settlement: 'replayed' | 'discarded' | null
  settled_at: string | null
}

export interface WholeParkedEvent extends ParkedEvent {
  headers: Record<string, unknown>
  /** As text where the bytes are text, in base64 where not. */
  raw: string
  encoding: 'utf8' | 'base64'
  /** Why it, or a part of it, is no order event; null: it can be read. */
  fault: string | null
  /** Oldest first. */
  actions: Array<{ action: 'replayed' | 'discarded', done_by: string, done_at: string }>
}

/** Open ones of one reason and source. */
export interface ParkedGroup {
  reason: string
  source: ParkedEvent['source']
  open: number
  oldest: string
  latest: string
}

export interface ParkedQuery extends ParkedSelection {
  settled?: boolean | undefined
  limit: number
  cursor?: string | undefined
}
