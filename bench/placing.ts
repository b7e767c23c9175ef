import { type Players, serve, type Served, withWorker } from './players.js'

/** Enough to keep every core busy; each holds a whole batch in memory. */
export const BATCH_CONNECTIONS = 16

export interface PlacedBatches extends Served {
  /** Orders a second. */
  orders_rate: number
  by_outbox: number
}

/** POST /orders/batch as fast as it goes; then everything is booked. @param batch orders in one request */
export async function placeBatches (players: Players, batch: number, { worker }: { worker: boolean }): Promise<PlacedBatches> {
  const { options: { seconds }, comanda, api, tables } = players
  const place = async () => {
    const served = await serve(players, api.pid, { url: `${comanda.ordersUrl}/batch`, connections: BATCH_CONNECTIONS, token: await comanda.token(), seconds, batch })
    return { ...served, placed: served.accepted * batch, sent: served.sent * batch }
  }
  await tables.empty()
  if (worker) return inOrders(await withWorker(players, place), batch)
  const backlog = await place()
  return inOrders(await withWorker(players, async () => backlog), batch)
}

function inOrders<T extends Served> (served: T, batch: number): T & { orders_rate: number } {
  return { ...served, orders_rate: served.rate * batch, cpu_us: served.cpu_us === null ? null : served.cpu_us / batch }
}
