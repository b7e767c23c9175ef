import type { ServiceStatus } from '../health/health.js'
import type { Client } from '../store/database.js'
import type { CursorName } from '../store/feed-cursors.js'
import { noteBacklog } from './backlog.js'
import { type Finding, Notes, type Subject } from './finding.js'
import { noteQueueDepth } from './rabbitmq.js'

/** What a running process knows of the services, for a doctor who opens no connection. */
export interface Known {
  services: Readonly<Record<string, Pick<ServiceStatus, 'state' | 'since' | 'lacks'>>>
  /** null: not known */
  orders: { messages: number, consumers: number } | null
  /** The ways out that there are. */
  told: readonly CursorName[]
}

const LOST: Record<string, string> = {
  postgres: 'orders go to the broker and are booked later; see whether the server runs, and the last `postgres_down` line of the log',
  redis: 'orders are read from Postgres; see whether the server runs, and the last `redis_down` line of the log',
  rabbitmq: 'orders go to the fallback queue; see whether the server runs, and the last `rabbitmq_down` line of the log'
}

/** What is wrong now, in the words of `comanda doctor`, worst first. @param client null: Postgres is known to be away @throws never */
export async function findingsNow (client: Client | null, { services, orders, told }: Known): Promise<Finding[]> {
  const all: Notes[] = Object.entries(services).map(([service, { state, since, lacks }]) => {
    const notes = new Notes(service as Subject)
    if (state === 'down' || state === 'starting') notes.wrong('connection', `away since ${since}`, LOST[service] ?? 'see whether the server runs')
    else if (lacks) notes.warn('rights', `refuses ${lacks.join(', ')} to this user`, 'give the user these rights (SECURITY.md)')
    return notes
  })
  if (orders) {
    const notes = new Notes('rabbitmq')
    noteQueueDepth(notes, orders)
    all.push(notes)
  }
  if (client) {
    const notes = new Notes('postgres')
    await noteBacklog(notes, client, told).catch((error: Error) => notes.wrong('answers', error.message, 'see the log of the server'))
    all.push(notes)
  }
  return all.flatMap(({ findings }) => findings).filter(({ mark }) => mark !== 'ok').sort((a, b) => Number(b.mark === 'wrong') - Number(a.mark === 'wrong'))
}
