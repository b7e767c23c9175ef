import { setTimeout as wait } from 'node:timers/promises'
import { placeBacklog } from '../placing/backlog.js'
import { drain } from '../placing/drain.js'
import { cpuEach, cpuTime, peakMemory } from '../placing/proc.js'
import type { Rig } from '../placing/rig.js'
import { listenerQueue } from '../setup/listener-queue.js'
import { bareWindows } from '../yardsticks/bare-windows.js'
import { LARGEST_MIB, fallbackNote, type Path } from './path.js'

const POLL_MS = 10
const STANDSTILL_MS = 30_000

interface Told { rate: number, cpu: number | null, mib: number | null }

export const tell: Path = {
  name: 'tell',
  title: ({ orders }) => `telling the exchange of ${orders.toLocaleString('en')} events`,
  how: 'a backlog is drained by one worker as in drain, with no relay running; then one relay tells all of it, from its first window that is recorded as told to its last, to an exchange that one quorum queue without a consumer is bound to; bare publishing: as many messages made beforehand, in the same windows, right after it',
  units: {
    told: 'events/s',
    'booked by one worker': 'orders/s',
    'bare publishing': 'messages/s',
    'told over bare publishing': 'ratio',
    'processor time of the relay': 'us/event',
    'processor time of the worker': 'us/order',
    'relay, largest resident size': 'MiB'
  },
  ratio: ['told', 'booked by one worker'],
  targets: () => [
    { figure: 'ratio', bound: 'at least', limit: 1 },
    { figure: 'relay, largest resident size', bound: 'at most', limit: LARGEST_MIB, of: 'max' }
  ],
  async measure (rig) {
    const { settings: { orders }, environment: { amqpUrl }, comanda, tables } = rig
    await tables.empty()
    await placeBacklog(rig)
    const drained = await drain(comanda, tables, orders)
    const remove = await listenerQueue(amqpUrl)
    try {
      const { rate, cpu, mib } = await tellAll(rig)
      const bare = await bareWindows(amqpUrl, orders)
      return {
        figures: {
          told: rate,
          'booked by one worker': drained.rate,
          'bare publishing': bare,
          'told over bare publishing': rate / bare,
          'processor time of the relay': cpu,
          'processor time of the worker': drained.cpu_us,
          'relay, largest resident size': mib
        },
        ...fallbackNote(drained.by_fallback)
      }
    } finally {
      await remove()
    }
  }
}

/** @throws Error when it stands still */
async function tellAll ({ comanda, tables }: Rig): Promise<Told> {
  const [begun, end] = [await tables.told(), await tables.lastPosition()]
  const relay = await comanda.startRelay({ ready: false })
  try {
    let first = begun
    let last = { ...begun, at: performance.now() }
    for (let now = begun; now.position !== end;) {
      await wait(POLL_MS)
      now = await tables.told()
      if (now.position !== last.position) {
        last = now
        if (first === begun) first = now
      } else if (now.at - last.at > STANDSTILL_MS) throw new Error(`the exchange was told up to ${now.position} of ${end}, and no more is`)
    }
    return {
      rate: await tables.eventsBetween(first.position, last.position) / (last.at - first.at) * 1000,
      cpu: cpuEach(0, cpuTime(relay.pid), await tables.eventsBetween(begun.position, end)),
      mib: peakMemory(relay.pid)
    }
  } finally {
    await relay.stop()
  }
}
