import { placeBacklog } from '../backlog.js'
import { drain } from '../drain.js'
import type { Sweep } from '../sweep.js'

export const workers: Sweep = {
  name: 'workers',
  axis: 'workers',
  how: 'drain of a backlog placed with no worker running, by so many started at once; from the first batch of any to the last of all',
  points: [1, 2, 3, 4],
  units: { drained: 'orders/s', 'processor time of the workers': 'us/order' },
  async measure (players, point) {
    const { options: { orders }, comanda, tables } = players
    await tables.empty()
    await placeBacklog(players)
    const { rate, cpu_us: cpu } = await drain(comanda, tables, orders, point)
    return { drained: rate, 'processor time of the workers': cpu ?? Number.NaN }
  }
}
