import { type Players, serve, type Served } from './players.js'

/** Places as many orders as are to be drained, with no worker running. */
export async function placeBacklog (players: Players): Promise<Served> {
  const { options: { connections, seconds, orders }, comanda, api } = players
  return await serve(players, api.pid, { url: comanda.ordersUrl, token: await comanda.token(), connections, seconds, amount: orders })
}
