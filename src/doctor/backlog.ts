import type { Client } from '../store/database.js'
import { fallbackQueueAge } from '../store/fallback-queue.js'
import { type CursorName, cursorStatus } from '../store/feed-cursors.js'
import { waitingAge } from '../store/order-events.js'
import { listOrders } from '../store/orders.js'
import { countParked } from '../store/parked-events.js'
import { webhookStatus } from '../store/webhook-upkeep.js'
import type { Notes } from './finding.js'

/** A worker empties the fallback queue many times a second: rows older than this have no worker, or one that is stuck. */
const STALE_S = 15
const STUCK_S = 60
/** The counts stop there. */
const MANY = 1000

type Look = [check: string, look: () => Promise<void>]

/** What waits in Postgres, since when, and what an operator must decide. @param told the ways out that there are */
export async function noteBacklog (notes: Notes, client: Client, told: readonly CursorName[]): Promise<void> {
  const looks: Look[] = [
    ['fallback queue', async () => await noteFallbackQueue(notes, client)],
    ['waiting events', async () => await noteWaiting(notes, client)],
    ['parked events', async () => await noteParked(notes, client)],
    ...(told.includes('exchange') ? [['relay', async () => await noteRelay(notes, client)]] satisfies Look[] : []),
    ...(told.includes('webhooks') ? [['webhooks', async () => await noteWebhooks(notes, client)]] satisfies Look[] : []),
    ['newest order', async () => await noteNewest(notes, client)]
  ]
  for (const [check, look] of looks) {
    await look().catch((error: Error & { sqlstate?: string }) => {
      if (error.sqlstate === undefined || /^(08|57P)/.test(error.sqlstate)) throw error // the server is gone
      if (error.sqlstate === '57014') notes.warn(check, 'not read in time: the table is locked, or the server has too much to do', 'see pg_stat_activity for who holds it')
      else notes.warn(check, `cannot be read (SQLSTATE ${error.sqlstate})`, 'grant this user the tables, or apply the migrations')
    })
  }
}

async function noteFallbackQueue (notes: Notes, client: Client): Promise<void> {
  const { rows, oldest_seconds, attempts, deferred } = await fallbackQueueAge(client)
  if (rows === 0 || oldest_seconds === null) return notes.ok('fallback queue', 'empty')
  const found = `${counted(rows, 'event')}, the oldest for ${span(oldest_seconds)}, tried up to ${attempts} times`
  if (deferred > 0) notes.warn('fallback queue', `${found}; ${deferred} wait for a newer worker`, 'start workers of the newer release')
  else if (oldest_seconds <= STALE_S) notes.ok('fallback queue', found)
  else notes.add(oldest_seconds <= STUCK_S ? 'warn' : 'wrong', 'fallback queue', found, 'see that a worker runs, is ready (/readyz) and reaches this database')
}

async function noteWaiting (notes: Notes, client: Client): Promise<void> {
  const { events, oldest_seconds } = await waitingAge(client)
  if (events === 0 || oldest_seconds === null) return notes.ok('waiting events', 'none waits for the event before it')
  const found = `${counted(events, 'change')} wait for the event before them, the oldest for ${span(oldest_seconds)}`
  if (oldest_seconds <= STUCK_S) notes.ok('waiting events', found)
  else notes.warn('waiting events', found, 'see whether the event before is parked (`comanda parked list`) or still in a queue')
}

async function noteParked (notes: Notes, client: Client): Promise<void> {
  const { open, latest } = await countParked(client)
  if (open === 0) notes.ok('parked events', 'none is open')
  else notes.warn('parked events', `${counted(open, 'event')} open, the latest parked at ${latest}`, 'look at them by `comanda parked list`, then replay or discard each')
}

/** What the exchange was not told yet, and who tells it. */
async function noteRelay (notes: Notes, client: Client): Promise<void> {
  for (const { name, lag, lag_seconds: seconds, holder } of (await cursorStatus(client)).filter(({ name }) => name === 'exchange')) {
    const who = holder === null ? 'no relay tells it' : `told by ${holder}`
    if (lag === 0 || seconds === null) notes.ok('relay', `the ${name} was told everything; ${who}`)
    else if (seconds <= STALE_S) notes.ok('relay', `${counted(lag, 'event')} to tell the ${name}, the oldest for ${span(seconds)}; ${who}`)
    else notes.warn('relay', `${counted(lag, 'event')} to tell the ${name}, the oldest for ${span(seconds)}; ${who}`, 'see that a relay runs, is ready (/readyz) and reaches RabbitMQ and this database')
  }
}

const RELAY = 'see that a relay runs and is ready (/readyz)'

async function noteWebhooks (notes: Notes, client: Client): Promise<void> {
  const { lag, lag_seconds: waits } = (await cursorStatus(client)).find(({ name }) => name === 'webhooks')!
  const { due, oldest_seconds: seconds, enabled, failing, disabled, missing_keys: keys } = await webhookStatus(client)
  const found = `${enabled} enabled, ${failing} of them failing, ${disabled} disabled; deliveries due: ${due}`
  if (keys.length > 0) notes.wrong('webhooks', `${found}; some wait for key ${keys.join(', ')} of DATA_KEYS`, 'give that key to every relay again, behind the first')
  else if (enabled + disabled > 0 && lag > 0 && (waits ?? 0) > STALE_S) notes.warn('webhooks', `${found}; ${counted(lag, 'event')} not made deliveries of, the oldest for ${span(waits!)}`, RELAY)
  else if (seconds !== null && seconds > STUCK_S) notes.warn('webhooks', `${found}, overdue for ${span(seconds)}`, RELAY)
  else if (disabled > 0) notes.warn('webhooks', found, 'see them by `comanda webhooks list`; their deliveries wait')
  else notes.ok('webhooks', found)
}

/** The messages in a queue show their age only to a consumer that takes them: this tells whether booking goes on. */
async function noteNewest (notes: Notes, client: Client): Promise<void> {
  const [newest] = await listOrders(client, { limit: 1 })
  notes.ok('newest order', newest ? `the newest booked order was placed at ${newest.created_at}` : 'no order is booked yet')
}

function counted (count: number, noun: string): string {
  return `${count >= MANY ? `${MANY} or more` : count} ${noun}${count === 1 ? '' : 's'}`
}

function span (seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 120) return `${whole} s`
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`
}
