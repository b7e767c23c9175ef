import type { OrderViews } from '../cache/order-views.js'
import type { Follower } from './commits.js'

/** What was committed is shown to readers, duplicates too: a view may have been lost. What the api shows of a placement is only marked. */
export function viewsFollower (views: Pick<OrderViews, 'put' | 'mark'>): Follower {
  return {
    async onCommitted ({ placed = [], views: changed }) {
      if (placed.length > 0) await views.mark(placed)
      if (changed.length > 0) await views.put(changed)
    }
  }
}
