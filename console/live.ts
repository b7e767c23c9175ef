import { useEffect, useRef } from 'preact/hooks'
import type { ToldEvent } from '../clients/typescript/src/types.gen.js'
import { base, query } from './api.js'

const AGAIN_MS = 3000
const TYPES = ['confirmed', 'amended', 'paid', 'shipped', 'delivered', 'cancelled', 'rejected', 'change_rejected']

/** Told of each event as it happens, of all orders or of one, while the page shows. */
export function useLive (order_id: string | undefined, onEvent: (event: ToldEvent) => void): void {
  const latest = useRef(onEvent)
  latest.current = onEvent
  useEffect(() => {
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let last: string | undefined
    const open = (): void => {
      source = new EventSource(new URL(`events${query({ order_id, after: last ?? 'now' })}`, base))
      for (const type of TYPES) {
        source.addEventListener(`comanda.order.${type}`, (message: MessageEvent<string>) => {
          last = message.lastEventId
          latest.current(JSON.parse(message.data) as ToldEvent)
        })
      }
      // A stream ends with its session, and browsers do not come back to what was refused.
      source.onerror = () => {
        source?.close()
        timer = setTimeout(open, AGAIN_MS)
      }
    }
    open()
    return () => {
      source?.close()
      clearTimeout(timer)
    }
  }, [order_id])
}
