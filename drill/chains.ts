import type { Books } from './books.js'
import type { EventRow, OrderRow } from './tables.js'

/** An order's applied events are versions 1 to n, each built on the one before, and the row is what the last one left. */
export function checkChains (books: Books): string[] {
  const evidence: string[] = []
  for (const orderId of new Set([...books.rows.keys(), ...books.tables.events.map(({ order_id }) => order_id)])) {
    const chain = books.eventsOf(orderId).filter(({ outcome }) => outcome === 'applied').sort((a, b) => a.version - b.version)
    const row = books.rows.get(orderId)
    if (row === undefined && chain.length === 0) continue
    const fault = faultOf(chain) ?? rowFault(row, chain.at(-1))
    if (fault !== null) evidence.push(`order ${orderId}: ${fault}`)
  }
  return evidence
}

function faultOf (chain: readonly EventRow[]): string | null {
  let before: EventRow | null = null
  for (const event of chain) {
    if (event.version !== (before?.version ?? 0) + 1) return `version ${event.version} (${event.event_id}) follows version ${before?.version ?? 0}`
    if (event.base !== (before?.event_id ?? null)) return `version ${event.version} (${event.event_id}) was built on ${event.base}, not on ${before?.event_id ?? 'nothing'}`
    before = event
  }
  return null
}

function rowFault (row: OrderRow | undefined, last: EventRow | undefined): string | null {
  if (row === undefined) return 'its events were applied and it has no row'
  if (last === undefined) return 'it has a row and no applied event'
  const { data } = last
  const folded = { ...data, event_id: last.event_id, version: last.version, status: data.status === 'accepted' ? 'confirmed' : data.status }
  const names = ['event_id', 'version', 'status', 'user_id', 'item_description', 'item_quantity', 'item_price'] as const
  const wrong = names.filter((name) => row[name] !== folded[name])
  return wrong.length === 0 ? null : `the row is not what its last event left: ${wrong.map((name) => `${name} ${row[name]}, not ${folded[name]}`).join('; ')}`
}
