import { type Page, toPage } from '../orders/page.js'
import type { Delivery, Endpoint } from './endpoint.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Opaque to clients. @returns null for what `cursorOf` never made */
export function endpointBefore (cursor: string): string | null {
  const id = decoded('webhook', cursor)
  return id !== null && UUID.test(id) ? id : null
}

/** @returns null for what `cursorOf` never made */
export function deliveryBefore (cursor: string): number | null {
  const id = decoded('delivery', cursor)
  return id !== null && /^[1-9]\d{0,14}$/.test(id) ? Number(id) : null
}

/** Cuts a list read with one row more than asked for. */
export function toEndpointPage (rows: readonly Endpoint[], limit: number): Page<Endpoint> {
  return toPage(rows, limit, ({ webhook_id }) => encoded('webhook', webhook_id))
}

export function toDeliveryPage (rows: readonly Delivery[], limit: number): Page<Delivery> {
  return toPage(rows, limit, ({ delivery_id }) => encoded('delivery', String(delivery_id)))
}

function encoded (kind: string, id: string): string {
  return Buffer.from(`${kind} ${id}`).toString('base64url')
}

function decoded (kind: string, cursor: string): string | null {
  const [found, id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  // Encoded again it must be the same: Buffer skips what is not base64url.
  return found === kind && encoded(kind, id) === cursor ? id : null
}
