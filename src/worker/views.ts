import type { OrderViews } from '../cache/order-views.js'
import type { Follower } from './commits.js'

/** What was committed is shown to readers, duplicates too: a view may have been lost. */
export function viewsFollower (views: Pick<OrderViews, 'put'>): Follower {
  return { onCommitted: async (applied) => { await views.put(applied.views) } }
}
