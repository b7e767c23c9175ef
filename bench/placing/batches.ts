import { type Rig, serve, type Served, withWorker } from './rig.js'

/** Enough to keep every core busy; each holds a whole batch in memory. */
export const BATCH_CONNECTIONS = 16

export interface PlacedBatches extends Served {
  /** Orders a second. */
  orders_rate: number
  by_fallback: number
}

/** POST /orders/batch as fast as it goes; then everything is booked. @param batch orders in one request */
export async function placeBatches (rig: Rig, batch: number, { worker }: { worker: boolean }): Promise<PlacedBatches> {
  const { settings: { seconds }, comanda, api, tables } = rig
  const place = async () => {
    const served = await serve(rig, api.pid, { url: `${comanda.ordersUrl}/batch`, connections: BATCH_CONNECTIONS, token: await comanda.token(), seconds, batch })
    return { ...served, placed: served.accepted * batch, sent: served.sent * batch }
  }
  await tables.empty()
  if (worker) return inOrders(await withWorker(rig, place), batch)
  const backlog = await place()
  return inOrders(await withWorker(rig, async () => backlog), batch)
}

function inOrders<T extends Served> (served: T, batch: number): T & { orders_rate: number } {
  return { ...served, orders_rate: served.rate * batch, cpu_us: served.cpu_us === null ? null : served.cpu_us / batch }
}
