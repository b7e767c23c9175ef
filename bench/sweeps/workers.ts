import { placeBacklog } from '../placing/backlog.js'
import { drain } from '../placing/drain.js'
import type { Sweep } from './sweep.js'

export const workers: Sweep = {
  name: 'workers',
  axis: 'workers',
  how: 'drain of a backlog placed with no worker running, by so many started at once; from the first batch of any to the last of all',
  points: [1, 2, 3, 4],
  units: { drained: 'orders/s', 'processor time of the workers': 'us/order' },
  async measure (rig, point) {
    const { settings: { orders }, comanda, tables } = rig
    await tables.empty()
    await placeBacklog(rig)
    const { rate, cpu_us: cpu } = await drain(comanda, tables, orders, point)
    return { drained: rate, 'processor time of the workers': cpu ?? Number.NaN }
  }
}
