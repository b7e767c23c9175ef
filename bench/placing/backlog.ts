import { type Rig, serve, type Served } from './rig.js'

/** Places as many orders as are to be drained, with no worker running. */
export async function placeBacklog (rig: Rig): Promise<Served> {
  const { settings: { connections, seconds, orders }, comanda, api } = rig
  return await serve(rig, api.pid, { url: comanda.ordersUrl, token: await comanda.token(), connections, seconds, amount: orders })
}
