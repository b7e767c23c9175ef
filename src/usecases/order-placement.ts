import { actorOf } from '../orders/actor.js'
import { serializeEvent, type SerializedEvent } from '../orders/envelope.js'
import { OrderError } from '../orders/errors.js'
import { placeOrder } from '../orders/event.js'
import { keyedEventId, keyedOrderId, type KeyRecord, type KeyUse } from '../orders/identity.js'
import type { OrderInput } from '../orders/order.js'
import { acceptedView, type OrderView } from '../orders/view.js'
import { thisMoment } from '../time/moment.js'
import type { Caller } from '../users/roles.js'
import { answer, type Answer } from './order-reader.js'
import type { IntakePort, KeysPort, ViewsPort } from './ports.js'

export interface PlaceRequest {
  caller: Caller
  input: OrderInput
  request_id: string
  traceparent?: string | undefined
  /** With it the same request always names the same order. */
  idempotency_key?: string | undefined
}

export interface Placed extends Answer {
  /** The key was used before for this very body: this is the answer to that use. */
  replayed: boolean
}

export interface OrderPlacementOptions {
  intake: IntakePort
  /** null: there is no cache */
  views: ViewsPort | null
  keys: KeysPort | null
  /** UUIDv7 */
  newId: () => string
}

/** A key names the same order on either path, alone or in a batch. */
const PLACE_ROUTE = 'POST /orders'

/** One request on its way through this use case: its event, and what its key said. */
interface Slip {
  serialized: SerializedEvent
  /** null: no key names it */
  use: KeyUse | null
  replayed: boolean
  /** It was taken in by an earlier use of its key. */
  accepted: boolean
}

/** Places orders: each is named, made an event, taken in, shown. */
export class OrderPlacement {
  readonly #options: OrderPlacementOptions

  constructor (options: OrderPlacementOptions) {
    this.#options = options
  }

  /** Resolves when the order cannot be lost any more and a reader sees it. @throws OrderError `key_reused`; as IntakePort.take */
  async place (request: PlaceRequest): Promise<Placed> {
    if (request.idempotency_key === undefined) return await this.#placePlain(request)
    const [placed] = await this.placeAll([request])
    if (placed instanceof OrderError) throw placed
    return placed!
  }

  /** The path of most orders, without a key and alone: nothing is gathered that is one. (By `placeAll` it cost a fifth more.) */
  async #placePlain (request: PlaceRequest): Promise<Placed> {
    const { intake, views } = this.#options
    const serialized = this.#place(request, null, thisMoment())
    await intake.take(serialized)
    const view = acceptedView(serialized.event)
    await views?.put([{ view, serialized }])
    return placed(view, request, false)
  }

  /** Places several at once, each with a result of its own, in their order: a fault of one never hides the others. */
  async placeAll (requests: readonly PlaceRequest[]): Promise<Array<Placed | OrderError>> {
    const slips = await this.#slips(requests)
    const open = new Map<string, Slip>()
    for (const slip of slips) if (!(slip instanceof OrderError) && !slip.accepted) open.set(slip.serialized.event.event_id, slip)
    const failures = await this.#take([...open.values()])
    return slips.map((slip, index) => {
      if (slip instanceof OrderError) return slip
      const { serialized: { event }, replayed } = slip
      return failures.get(event.event_id) ?? placed(acceptedView(event), requests[index]!, replayed)
    })
  }

  /** Names every order; asks the keys what they were used for before, in this batch too. */
  async #slips (requests: readonly PlaceRequest[]): Promise<Array<Slip | OrderError>> {
    const now = thisMoment()
    const uses = requests.map((request) => keyUse(request, now))
    const keyed = uses.filter((use) => use !== null)
    const records = keyed.length > 0 ? await this.#begin(keyed) : new Map<KeyUse, KeyRecord>()
    return requests.map((request, index) => {
      const use = uses[index]!
      const before = use && records.get(use)
      if (before && before.event_id !== use.event_id) return new OrderError('key_reused')
      if (!before) return { serialized: this.#place(request, use, now), use, replayed: false, accepted: false }
      // The very event of the first use, its time included: whichever request answers, the answer is the same.
      return { serialized: this.#place(request, use, before.now), use: { ...use, now: before.now }, replayed: true, accepted: before.accepted }
    })
  }

  /** What stood under each key before its use. The same key twice in one batch is one order, with a cache or without. */
  async #begin (uses: readonly KeyUse[]): Promise<Map<KeyUse, KeyRecord>> {
    const stood = await this.#options.keys?.begin(uses)
    const here = new Map<string, KeyRecord>()
    const records = new Map<KeyUse, KeyRecord>()
    for (const [index, use] of uses.entries()) {
      const before = stood?.[index] ?? here.get(use.order_id)
      if (before) records.set(use, before)
      else here.set(use.order_id, { ...use, accepted: false })
    }
    return records
  }

  #place ({ caller, input, request_id, traceparent }: PlaceRequest, use: KeyUse | null, now: string): SerializedEvent {
    const { newId } = this.#options
    const { order_id, event_id } = use ?? { order_id: newId(), event_id: newId() }
    return serializeEvent(placeOrder({ order_id, event_id, user_id: caller.user_id, input, now, request_id, actor: actorOf(caller), traceparent }))
  }

  /** Takes them in and shows them. @returns why, for each event that was not taken, by its id */
  async #take (slips: readonly Slip[]): Promise<Map<string, OrderError>> {
    const { intake, views, keys } = this.#options
    const failures = new Map<string, OrderError>()
    const settled = await Promise.allSettled(intake.takeAll(slips.map(({ serialized }) => serialized)))
    for (const [index, { serialized: { event } }] of slips.entries()) {
      const outcome = settled[index]!
      if (outcome.status === 'fulfilled') continue
      if (!(outcome.reason instanceof OrderError)) throw outcome.reason
      failures.set(event.event_id, outcome.reason)
    }
    const taken = slips.filter(({ serialized: { event } }) => !failures.has(event.event_id))
    const refused = slips.filter(({ serialized: { event } }) => failures.get(event.event_id)?.code === 'not_accepted')
    await Promise.all([
      views?.put(taken.map(({ serialized }) => ({ view: acceptedView(serialized.event), serialized }))),
      keys?.accept(usesOf(taken)),
      keys?.forget(usesOf(refused))
    ])
    return failures
  }
}

function placed (view: OrderView, { caller }: PlaceRequest, replayed: boolean): Placed {
  const { order, event_id } = answer(view, caller)
  return { order, event_id, replayed }
}

function keyUse ({ caller, input, idempotency_key: key }: PlaceRequest, now: string): KeyUse | null {
  if (key === undefined) return null
  const order_id = keyedOrderId(PLACE_ROUTE, caller.user_id, key)
  return { order_id, event_id: keyedEventId(order_id, input), now }
}

function usesOf (slips: readonly Slip[]): KeyUse[] {
  return slips.flatMap(({ use }) => use ? [use] : [])
}
