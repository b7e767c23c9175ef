import { type FeedEvent, type FeedSelection, isSelected } from '../orders/feed-event.js'

export interface FeedPort {
  /** Settled events behind a position, and where the whole feed ends. @throws StoreError */
  read (window: { after: number, limit: number, user_id?: number | undefined, order_id?: string | undefined }): Promise<{ events: FeedEvent[], end: number }>
}

export interface FeedPage {
  events: FeedEvent[]
  /** Behind it the next page begins. */
  next: number
  /** There was nothing more when it was read. */
  complete: boolean
}

/** Rows looked at for one page: a kind that is rare costs a bounded time, and the page may be short, or empty, before the end. */
const WINDOW = 500
const MOST_WINDOWS = 10

/** Reads the feed page by page. */
export class FeedReader {
  readonly #port: FeedPort

  constructor (port: FeedPort) {
    this.#port = port
  }

  /** @throws StoreError */
  async page (after: number, limit: number, selection: FeedSelection = {}): Promise<FeedPage> {
    const page: FeedPage = { events: [], next: after, complete: false }
    const rows = selection.happenings === undefined ? limit : WINDOW
    for (let windows = 0; windows < MOST_WINDOWS && !page.complete && page.events.length < limit; windows++) {
      const { user_id, order_id } = selection
      const { events, end } = await this.#port.read({ after: page.next, limit: rows, user_id, order_id })
      const looked = take(page, events, limit, selection)
      page.complete = events.length < rows && looked === events.length
      if (page.complete) page.next = Math.max(page.next, end)
    }
    return page
  }

  /** Where the feed ends: the position of its last event. @throws StoreError */
  async end (): Promise<number> {
    return (await this.#port.read({ after: Number.MAX_SAFE_INTEGER, limit: 1 })).end
  }
}

/** Adds what is selected until the page is full. @returns how many it looked at */
function take (page: FeedPage, events: readonly FeedEvent[], limit: number, selection: FeedSelection): number {
  let looked = 0
  for (const event of events) {
    if (page.events.length === limit) break
    looked++
    page.next = event.position
    if (isSelected(event, selection)) page.events.push(event)
  }
  return looked
}
