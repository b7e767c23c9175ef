import { PING } from './endpoint.js'

/** What a test call brings: a CloudEvent without an order. */
export interface Ping {
  specversion: '1.0'
  id: string
  source: '/comanda'
  type: typeof PING
  time: string
  datacontenttype: 'application/json'
  data: Record<never, never>
}

export function pingOf (id: string, time: string): Ping {
  return { specversion: '1.0', id, source: '/comanda', type: PING, time, datacontenttype: 'application/json', data: {} }
}
