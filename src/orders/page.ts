import { type Order } from './order.js'

/** Where a page ended: the keyset of the next one. */
export interface PageEnd {
  created_at: string
  order_id: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Opaque to clients. */
export function encodeCursor ({ created_at, order_id }: PageEnd): string {
  return Buffer.from(`${created_at} ${order_id}`).toString('base64url')
}

/** @returns null for what encodeCursor never made */
export function decodeCursor (cursor: string): PageEnd | null {
  const [created_at = '', order_id = '', ...rest] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const sound = rest.length === 0 && MOMENT.test(created_at) && !Number.isNaN(Date.parse(created_at)) && UUID.test(order_id)
  return sound ? { created_at, order_id } : null
}

/** Cuts a list read with one row more than asked for. */
export function toPage (rows: readonly Order[], limit: number): { items: Order[], next_cursor: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next_cursor: rows.length > limit && last ? encodeCursor(last) : null }
}
