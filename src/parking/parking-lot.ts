import { decodeMessage } from '../broker/codec.js'
import { isSigned } from '../broker/signature.js'
import { serializeEvent } from '../orders/envelope.js'
import type { Mac } from '../secrets/mac.js'
import { recordAction } from '../store/actions.js'
import { type Client, inTransaction, type Pool } from '../store/database.js'
import { insertFallback } from '../store/fallback-queue.js'
import { reopenRefused } from '../store/order-events.js'
import { findParked, type ParkedRow, type Settlement, settleParked } from '../store/parked-events.js'
import type { Actor } from '../users/actions.js'

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
export async function replayParked (pool: Pool, idStart: string, by: Actor, trust: ReplayTrust): Promise<Settled> {
  return await settleAlone(pool, async (client) => await replayHeld(client, await theParked(client, idStart), by, trust))
}

/** The same, of one whose row the caller's transaction holds. @throws ParkingError, before anything is written; StoreError */
export async function replayHeld (client: Client, parked: ParkedRow, by: Actor, trust: ReplayTrust): Promise<Settled> {
  return await settle(client, parked, 'replayed', by, async () => {
    if (!isTrusted(parked, trust)) throw new ParkingError('forged', 'it cannot be replayed: it carries no signature of ours; `--unsigned` replays it all the same')
    const decoded = decodeMessage(parked.raw)
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
export async function discardParked (pool: Pool, idStart: string, by: Actor): Promise<Settled> {
  return await settleAlone(pool, async (client) => await discardHeld(client, await theParked(client, idStart), by))
}

/** The same, of one whose row the caller's transaction holds. @throws ParkingError, before anything is written; StoreError */
export async function discardHeld (client: Client, parked: ParkedRow, by: Actor): Promise<Settled> {
  return await settle(client, parked, 'discarded', by, async () => 0)
}

/** The one parked event whose id begins so. @throws ParkingError, StoreError */
export async function theParked (client: Client, idStart: string): Promise<ParkedRow> {
  const [found, another] = await findParked(client, idStart)
  if (!found) throw new ParkingError('unknown', 'there is no such parked event; `comanda parked list` shows them')
  if (another) throw new ParkingError('ambiguous', 'several parked events begin so: give more of the id')
  return found
}

async function settleAlone (pool: Pool, act: (client: Client) => Promise<Settled>): Promise<Settled> {
  const outcome = await inTransaction(pool, async (client) => await act(client).catch((error: unknown) => {
    if (error instanceof ParkingError) return error // nothing was written; thrown in here it would become a StoreError
    throw error
  }))
  if (outcome instanceof ParkingError) throw outcome
  return outcome
}

async function settle (client: Client, parked: ParkedRow, settlement: Settlement, by: Actor, act: () => Promise<number>): Promise<Settled> {
  const { id } = parked
  if (parked.settlement === settlement) return { id, before: true, events: 0 }
  if (parked.settlement) throw new ParkingError('settled', `it was ${parked.settlement} at ${parked.settled_at}`)
  const events = await act()
  await settleParked(client, id, settlement, by.actor)
  await recordAction(client, { ...by, action: `parked.${settlement}`, target_kind: 'parked_event', target_id: id })
  return { id, before: false, events }
}
