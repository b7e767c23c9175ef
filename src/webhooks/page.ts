import { cursorOf, idBehind, numberBehind, type Page, toPage } from '../orders/page.js'
import type { Delivery, Endpoint } from './endpoint.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Opaque to clients. @returns null for what `toEndpointPage` never made */
export function endpointBefore (cursor: string): string | null {
  const id = idBehind('webhook', cursor)
  return id !== null && UUID.test(id) ? id : null
}

/** @returns null for what `toDeliveryPage` never made */
export function deliveryBefore (cursor: string): number | null {
  return numberBehind('delivery', cursor)
}

/** Cuts a list read with one row more than asked for. */
export function toEndpointPage (rows: readonly Endpoint[], limit: number): Page<Endpoint> {
  return toPage(rows, limit, ({ webhook_id }) => cursorOf('webhook', webhook_id))
}

export function toDeliveryPage (rows: readonly Delivery[], limit: number): Page<Delivery> {
  return toPage(rows, limit, ({ delivery_id }) => cursorOf('delivery', String(delivery_id)))
}
