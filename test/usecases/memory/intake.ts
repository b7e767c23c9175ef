import type { SerializedEvent } from '../../../src/orders/envelope.js'
import { OrderError } from '../../../src/orders/errors.js'
import type { OrderEvent } from '../../../src/orders/event.js'
import type { IntakePort } from '../../../src/usecases/ports.js'

/** What becomes of an event: `lost`: it was taken, and the answer to that never came. */
export type Fate = 'taken' | 'refused' | 'lost'

export class MemoryIntake implements IntakePort {
  /** In the order in which they were taken, each once. */
  readonly taken = new Set<OrderEvent>()
  /** Decides over each event as it comes. */
  fate: (event: OrderEvent) => Fate = () => 'taken'

  async take ({ event }: SerializedEvent): Promise<void> {
    const fate = this.fate(event)
    if (fate !== 'refused') this.taken.add(event)
    if (fate === 'taken') return
    const about = { order_id: event.order.order_id, event_id: event.event_id }
    throw new OrderError(fate === 'refused' ? 'not_accepted' : 'outcome_unknown', { about })
  }

  takeAll (events: readonly SerializedEvent[]): Array<Promise<void>> {
    return events.map(async (serialized) => await this.take(serialized))
  }
}
