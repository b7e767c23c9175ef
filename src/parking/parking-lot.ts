import { decodeMessage } from '../broker/codec.js'
import { isSigned } from '../broker/signature.js'
import { serializeEvent } from '../orders/envelope.js'
import type { Mac } from '../secrets/mac.js'
import { recordAction } from '../store/actions.js'
import { type Client, inTransaction, type Pool } from '../store/database.js'
import { insertFallback } from '../store/fallback-queue.js'
import { reopenRefused } from '../store/order-events.js'
import { findParked, type ParkedRow, type Settlement, settleParked } from '../store/parked-events.js'
import { commandLine } from '../users/actions.js'

/** Stable codes: why a parked event was left as it is. */
export type ParkingCode =
  | 'unknown' // no parked event has an id that begins so
  | 'ambiguous' // several have
  | 'unreadable' // its bytes are no order event that this build knows
  | 'forged' // what it holds carries no signature of ours
  | 'settled' // it was discarded before, or replayed: what is done is not undone

export class ParkingError extends Error {
  override readonly name = 'ParkingError'
  readonly code: ParkingCode

  constructor (code: ParkingCode, detail: string) {
    super(detail)
    this.code = code
  }
}

export interface Settled {
  id: string
  /** It was settled so before: nothing was done now. */
  before: boolean
  /** Order events that go to the fallback queue now. */
  events: number
}

export interface ReplayTrust {
  /** null: no key is given, so nothing can be verified */
  mac: Mac | null
  /** The operator vouches for what carries no signature. */
  unsigned?: boolean
}

/** Hands a parked event's order events to the fallback queue once more; a worker books them. Safe to repeat. @throws ParkingError, StoreError */
export async function replayParked (pool: Pool, idStart: string, doneBy: string, trust: ReplayTrust): Promise<Settled> {
  return await settle(pool, idStart, 'replayed', doneBy, async (client, parked) => {
    const { raw } = parked
    if (!isTrusted(parked, trust)) throw new ParkingError('forged', 'it cannot be replayed: it carries no signature of ours; `--unsigned` replays it all the same')
    const decoded = decodeMessage(raw)
    const fault = decoded.find((one) => 'fault' in one)
    if (fault) throw new ParkingError('unreadable', `it cannot be replayed: ${fault.fault.message}`)
    const events = decoded.flatMap((one) => 'event' in one ? [one.event] : [])
    await reopenRefused(client, events.map(({ event_id }) => event_id))
    await insertFallback(client, events.map(serializeEvent))
    return events.length
  })
}

/** What was parked out of a message had its signature verified before; a message parked as a whole is verified now. */
function isTrusted ({ source, reason, raw, headers }: ParkedRow, { mac, unsigned = false }: ReplayTrust): boolean {
  if (unsigned || (reason !== 'forged' && source !== 'dead')) return true
  return mac === null ? reason !== 'forged' : isSigned(mac, raw, headers)
}

/** Gives a parked event up; it stays to be looked at. Safe to repeat. @throws ParkingError, StoreError */
export async function discardParked (pool: Pool, idStart: string, doneBy: string): Promise<Settled> {
  return await settle(pool, idStart, 'discarded', doneBy, async () => 0)
}

/** The one parked event whose id begins so. @throws ParkingError, StoreError */
export async function theParked (client: Client, idStart: string): Promise<ParkedRow> {
  const [found, another] = await findParked(client, idStart)
  if (!found) throw new ParkingError('unknown', 'there is no such parked event; `comanda parked list` shows them')
  if (another) throw new ParkingError('ambiguous', 'several parked events begin so: give more of the id')
  return found
}

async function settle (pool: Pool, idStart: string, settlement: Settlement, doneBy: string, act: (client: Client, parked: ParkedRow) => Promise<number>): Promise<Settled> {
  const outcome = await inTransaction(pool, async (client) => await attempt(client).catch((error: unknown) => {
    if (error instanceof ParkingError) return error // nothing was written; thrown in here it would become a StoreError
    throw error
  }))
  if (outcome instanceof ParkingError) throw outcome
  return outcome

  async function attempt (client: Client): Promise<Settled> {
    const parked = await theParked(client, idStart)
    if (parked.settlement === settlement) return { id: parked.id, before: true, events: 0 }
    if (parked.settlement) throw new ParkingError('settled', `it was ${parked.settlement} at ${parked.settled_at}`)
    const events = await act(client, parked)
    await settleParked(client, parked.id, settlement, doneBy)
    await recordAction(client, { ...commandLine(doneBy), action: `parked.${settlement}`, target_kind: 'parked_event', target_id: parked.id })
    return { id: parked.id, before: false, events }
  }
}
