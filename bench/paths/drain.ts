import { placeBacklog } from '../placing/backlog.js'
import { drain as drainBacklog } from '../placing/drain.js'
import { unnestInsert } from '../yardsticks/unnest-insert.js'
import { LARGEST_MIB, fallbackNote, type Path } from './path.js'

export const drain: Path = {
  name: 'drain',
  title: ({ orders }) => `drain of a backlog of ${orders.toLocaleString('en')}`,
  how: 'placed through the api over HTTP with the worker stopped, drained by one worker started on it, from its first batch to its last with views refreshed; then the same rows by a plain unnest insert into both tables, one connection, one transaction for 1000',
  units: {
    drained: 'orders/s',
    'plain unnest insert': 'orders/s',
    'drained, from the start of the process': 'orders/s',
    'accepted before, worker stopped': 'orders/s',
    'processor time of the worker': 'us/order',
    'worker, largest resident size': 'MiB'
  },
  ratio: ['drained', 'plain unnest insert'],
  targets: ({ orders }) => [
    ...(orders < 200_000
      ? []
      : [{ figure: 'ratio', bound: 'at least', limit: 0.95 }, { figure: 'drained', bound: 'at least', limit: 40_000 }] as const),
    { figure: 'worker, largest resident size', bound: 'at most', limit: LARGEST_MIB, of: 'max' }
  ],
  async measure (rig) {
    const { settings: { orders }, comanda, tables } = rig
    await tables.empty()
    const placed = await placeBacklog(rig)
    const drained = await drainBacklog(comanda, tables, orders)
    const unnest = await unnestInsert(tables)
    return {
      figures: {
        drained: drained.rate,
        'plain unnest insert': unnest.rate,
        'drained, from the start of the process': drained.rate_from_start,
        'accepted before, worker stopped': placed.rate,
        'processor time of the worker': drained.cpu_us,
        'worker, largest resident size': drained.worker_mib
      },
      over_time: { unit: 'orders/s', lines: { drained: drained.per_second, 'accepted before': placed.per_second } },
      ...fallbackNote(drained.by_fallback)
    }
  }
}
