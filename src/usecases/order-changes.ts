import { actorOf } from '../orders/actor.js'
import { serializeEvent } from '../orders/envelope.js'
import { OrderError } from '../orders/errors.js'
import { amendOrder, moveOrder, type OrderEvent, type Origin } from '../orders/event.js'
import { isSameInput, type OrderInput } from '../orders/order.js'
import { isAhead, isMet, type Precondition } from '../orders/precondition.js'
import { isAmendable, mayMove, type MovableStatus } from '../orders/status.js'
import { acceptedView, type OrderView } from '../orders/view.js'
import { thisMoment } from '../time/moment.js'
import type { Caller } from '../users/roles.js'
import { answer, type Answer, type OrderReader } from './order-reader.js'
import type { ChangeLocksPort, IntakePort, ViewsPort } from './ports.js'

export interface ChangeRequest {
  order_id: string
  caller: Caller
  request_id: string
  traceparent?: string | undefined
  precondition: Precondition
}

type Latest = Awaited<ReturnType<OrderReader['latest']>>

export interface OrderChangesOptions {
  reader: OrderReader
  intake: IntakePort
  /** null: there is no cache */
  views: ViewsPort | null
  changeLocks: ChangeLocksPort | null
  /** UUIDv7 */
  newId: () => string
}

/**
 * Changes orders: each change is an event built on the higher of row and view. A change to what the order already is
 * publishes nothing and answers with it: that is the safe retry.
 */
export class OrderChanges {
  readonly #options: OrderChangesOptions

  constructor (options: OrderChangesOptions) {
    this.#options = options
  }

  /** @throws OrderError as OrderReader.find; `not_owner`, `not_amendable`, `stale`, `lost_race`; as IntakePort.take */
  async amend (request: ChangeRequest, change: Partial<OrderInput>): Promise<Answer> {
    const latest = await this.#options.reader.latest(request.order_id, request.caller)
    const { view } = latest
    if (view.order.user_id !== request.caller.user_id) throw new OrderError('not_owner')
    const input = { ...inputOf(view), ...change }
    if (isSameInput(input, inputOf(view))) return answer(view, request.caller)
    return await this.#change(latest, request, isAmendable(view.order.status) ? null : 'not_amendable', (origin) => amendOrder(view, input, origin))
  }

  /** Its owner's and an operator's move. @throws OrderError as `move` */
  async cancel (request: ChangeRequest): Promise<Answer> {
    return await this.#move(request, 'cancelled')
  }

  /** @throws OrderError `forbidden`; as OrderReader.find; `illegal_move`, `stale`, `lost_race`; as IntakePort.take */
  async move (request: ChangeRequest, to: MovableStatus): Promise<Answer> {
    if (request.caller.role !== 'operator') throw new OrderError('forbidden')
    return await this.#move(request, to)
  }

  async #move (request: ChangeRequest, to: MovableStatus): Promise<Answer> {
    const { caller, order_id } = request
    const latest = await this.#options.reader.latest(order_id, caller)
    const { view } = latest
    const { status } = view.order
    if (status === to) return answer(view, caller)
    return await this.#change(latest, request, mayMove(status, to, caller.role) ? null : 'illegal_move', (origin) => moveOrder(view, to, origin))
  }

  async #change ({ view, hidden }: Latest, request: ChangeRequest, fault: 'not_amendable' | 'illegal_move' | null, build: (origin: Origin) => OrderEvent): Promise<Answer> {
    const { caller, request_id, traceparent, precondition } = request
    const { intake, views, newId } = this.#options
    checkPrecondition(view, hidden, precondition)
    if (fault) throw new OrderError(fault, { present: view.order })
    const event = build({ event_id: newId(), now: thisMoment(), request_id, actor: actorOf(caller), traceparent })
    await this.#lock(event, request)
    await intake.take(serializeEvent(event)).catch(async (error: unknown) => {
      if (error instanceof OrderError && error.code === 'not_accepted') await this.#options.changeLocks?.release(event.order.order_id, event.order.version)
      throw error
    })
    const changed = acceptedView(event, view)
    await views?.put([{ view: changed }])
    return answer(changed, caller)
  }

  async #lock ({ event_id, order }: OrderEvent, { caller, precondition }: ChangeRequest): Promise<void> {
    const { changeLocks, reader } = this.#options
    if (await changeLocks?.take(order.order_id, order.version, event_id) !== false) return
    const present = await reader.find(order.order_id, caller)
    throw new OrderError(precondition === null ? 'lost_race' : 'stale', { present: present.order })
  }
}

function checkPrecondition ({ order }: OrderView, hidden: boolean, precondition: Precondition): void {
  if (isMet(precondition, order)) return
  if (hidden && isAhead(precondition, order)) throw new OrderError('version_not_visible_yet')
  throw new OrderError('stale', { present: order })
}

function inputOf ({ order: { item_description, item_quantity, item_price } }: OrderView): OrderInput {
  return { item_description, item_quantity, item_price }
}
