import { isMoment } from '../time/moment.js'
import type { OrderStatus } from './status.js'

/** Where a page ended: the keyset of the next one. */
export interface PageEnd {
  created_at: string
  order_id: string
}

/** Which orders a list holds, and how many. */
export interface OrderFilter {
  limit: number
  /** undefined: the orders of all users */
  user_id?: number | undefined
  status?: OrderStatus | undefined
  created_from?: string | undefined
  created_to?: string | undefined
  /** Only orders behind this one, newest first. */
  after?: PageEnd | undefined
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Opaque to clients. */
export function encodeCursor ({ created_at, order_id }: PageEnd): string {
  return Buffer.from(`${created_at} ${order_id}`).toString('base64url')
}

/** @returns null for what encodeCursor never made */
export function decodeCursor (cursor: string): PageEnd | null {
  const [created_at = '', order_id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const end = { created_at, order_id }
  // Encoded again it must be the same: Buffer skips what is not base64url.
  return isMoment(created_at) && UUID.test(order_id) && encodeCursor(end) === cursor ? end : null
}

export interface Page<T> {
  items: T[]
  /** null on the last page */
  next_cursor: string | null
}

/** Cuts a list read with one row more than asked for. */
export function toPage<T> (rows: readonly T[], limit: number, cursorOf: (last: T) => string): Page<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next_cursor: rows.length > limit && last !== undefined ? cursorOf(last) : null }
}

/** A cursor that is the id of the last row: opaque to clients, and good for lists of this kind only. */
export function cursorOf (kind: string, id: string): string {
  return Buffer.from(`${kind} ${id}`).toString('base64url')
}

/** @returns null for what `cursorOf` never made for such a list */
export function idBehind (kind: string, cursor: string): string | null {
  const [found, id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  // Encoded again it must be the same: Buffer skips what is not base64url.
  return found === kind && cursorOf(kind, id) === cursor ? id : null
}

/** Of ids that are numbers. @returns null as `idBehind` */
export function numberBehind (kind: string, cursor: string): number | null {
  const id = idBehind(kind, cursor)
  return id !== null && /^[1-9]\d{0,14}$/.test(id) ? Number(id) : null
}
