import { type FeedEvent, type FeedSelection, isSelected } from '../orders/feed-event.js'
import type { FeedReader } from './reader.js'
import type { Follower, Tail } from './tail.js'

/** Rows read at once while a reader catches up. */
const PAGE = 100

/**
 * Everything behind a position, for ever: page by page until the end is reached, then as it happens. A reader that takes too
 * little of what happens falls back to pages, at its own pace.
 *
 *   pages --the end is reached and the tail is not ahead--> tail --too much is held--> pages
 *
 * @param signal ends it
 * @throws StoreError while it reads pages
 */
export async function * follow ({ reader, tail }: { reader: FeedReader, tail: Tail }, after: number, selection: FeedSelection, signal: AbortSignal): AsyncGenerator<readonly FeedEvent[]> {
  for (let position = after; !signal.aborted;) {
    const page = await reader.page(position, PAGE, selection)
    position = page.next
    if (page.events.length > 0) yield page.events
    const follower = page.complete && !signal.aborted ? tail.follow(position, signal) : null
    if (!follower) continue
    for await (const events of taken(follower)) {
      position = events.at(-1)!.position
      const selected = events.filter((event) => isSelected(event, selection))
      if (selected.length > 0) yield selected
    }
  }
}

async function * taken (follower: Follower): AsyncGenerator<readonly FeedEvent[]> {
  try {
    for (let events = await follower.next(); events !== null; events = await follower.next()) yield events
  } finally {
    follower.leave()
  }
}
