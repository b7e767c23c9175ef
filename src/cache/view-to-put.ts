import type { SerializedEvent } from '../orders/envelope.js'
import type { OrderView } from '../orders/view.js'

/** A view to write; `replaces` names a rejected event whose view gives way whatever its rank. */
export interface ViewToPut {
  view: OrderView
  replaces?: string | undefined
  /** The event it shows, when it is at hand with its JSON. */
  serialized?: SerializedEvent | undefined
}

/** With the moment since which it should be in Redis, milliseconds since 1970. */
export interface DatedView extends ViewToPut { at: number }
