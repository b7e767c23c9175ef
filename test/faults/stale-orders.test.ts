import t, { type Test } from 'tap'
import { moveOrder, type OrderEvent } from '../../src/orders/event.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { inTransaction } from '../../src/store/database.js'
import { insertFallback } from '../../src/store/fallback-queue.js'
import { applyBatch } from '../../src/worker/batch.js'
import { newId } from '../../src/ids.js'
import { startWorker } from '../support/apps.js'
import { insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { openPlace, openPool } from '../support/place.js'
import { runComanda } from '../support/processes.js'

/** Orders that stay unpaid are cancelled, by any process, however often it is ended in the middle, and whatever is paid meanwhile. */
const place = await openPlace(t)
const pool = openPool(t, place, { max: 6 })
const user = await insertPerson(pool)
const HOURS_AGO = new Date(Date.now() - 5 * 3_600_000).toISOString()
const alone = { AMQP_URL: '', REDIS_URL: '', STALE_AFTER: '4h' }

async function bookDue (count: number): Promise<OrderEvent[]> {
  const placed = Array.from({ length: count }, () => {
    const event = placement(user)
    return { ...event, occurred_at: HOURS_AGO, order: { ...event.order, created_at: HOURS_AGO, updated_at: HOURS_AGO } }
  })
  for (let from = 0; from < count; from += 1000) await inTransaction(pool, async (client) => await applyBatch(client, placed.slice(from, from + 1000)))
  return placed
}

/** As an operator's request does it, built on the placement. */
const payment = ({ event_id, order }: OrderEvent) => moveOrder({ event_id, order: { ...order, status: 'confirmed' } }, 'paid', { event_id: newId(), now: new Date().toISOString(), request_id: 'pays', actor: 'operator:1' })

/** `comanda sweep` again and again, killed after a random while, until it is told to stop. */
async function sweepAndKill (t: Test, signal: AbortSignal, times: { killed: number }): Promise<void> {
  while (!signal.aborted) {
    const own = runComanda(t, ['sweep'], { ...place.env, ...alone })
    const kill = setTimeout(() => own.child.kill('SIGKILL'), 500 + Math.random() * 2000)
    if (await own.exited === null) times.killed++
    clearTimeout(kill)
  }
}

t.test('of 10,000 due orders each is paid or cancelled, never both, with one cancellation each, though three sweepers are killed at random', async (t) => {
  const placed = await bookDue(10_000)
  await startWorker(t, place, { ...alone, STALE_AFTER: '' })
  const stop = new AbortController()
  const times = { killed: 0 }
  const sweepers = [1, 2, 3].map(async () => await sweepAndKill(t, stop.signal, times))
  const unpaid = new Map(placed.map((event) => [event.order.order_id, event]))
  // Those that sweepers are about to take, or have just taken: both changes are built on the same state.
  await eventually('none is due', async () => {
    const { rows } = await pool.query<{ order_id: string }>("select order_id from orders where status = 'confirmed' order by created_at, order_id limit 60")
    const some = rows.filter(({ order_id }) => Math.random() < 0.3 && unpaid.has(order_id)).map(({ order_id }) => unpaid.get(order_id)!)
    for (const { order } of some) unpaid.delete(order.order_id)
    if (some.length > 0) await insertFallback(pool, some.map(payment).map(serializeEvent))
    return rows.length === 0
  }, 180_000)
  stop.abort()
  await Promise.all(sweepers)
  await eventually('all is booked', async () => (await pool.query('select from fallback_queue limit 1')).rowCount === 0)
  t.comment(`${times.killed} sweepers killed`)
  t.ok(times.killed > 0)

  const { rows } = await pool.query<{ status: string, version: number, applied: string[], cancellations: number, payments: number }>(`
    select status, orders.version, array_agg(order_events.data ->> 'status' order by order_events.version) filter (where outcome = 'applied') as applied,
      count(*) filter (where order_events.type = 'order.cancelled')::integer as cancellations, count(*) filter (where order_events.type = 'order.status_changed')::integer as payments
    from orders join order_events using (order_id) group by order_id`)
  t.equal(rows.length, 10_000)
  const ends = { paid: 0, cancelled: 0, paidFirst: 0, paidTooLate: 0 }
  for (const { status, version, applied, cancellations, payments } of rows) {
    if (version !== 2 || applied.length !== 2 || applied[1] !== status || cancellations > 1 || payments > 1) t.fail(JSON.stringify({ status, version, applied, cancellations, payments }))
    if (status !== 'paid' && status !== 'cancelled') t.fail(status)
    else ends[status]++
    if (cancellations === 1 && payments === 1) ends[status === 'paid' ? 'paidFirst' : 'paidTooLate']++
  }
  t.comment(JSON.stringify(ends))
  t.ok(Object.values(ends).every((orders) => orders > 0), `each end was met, and each way to it: ${JSON.stringify(ends)}`)
})

t.test('a worker with STALE_AFTER cancels by itself what is unpaid and unchanged for so long, and says why', async (t) => {
  const [due] = await bookDue(1)
  const [changed] = await bookDue(1)
  await pool.query('update orders set updated_at = now() where order_id = $1', [changed!.order.order_id])
  const young = placement(user)
  await inTransaction(pool, async (client) => await applyBatch(client, [young]))
  const worker = await startWorker(t, place, alone)
  const statusOf = async ({ order }: OrderEvent) => (await pool.query<{ status: string }>('select status from orders where order_id = $1', [order.order_id])).rows[0]!.status
  await eventually('it is cancelled', async () => await statusOf(due!) === 'cancelled')
  t.same([await statusOf(changed!), await statusOf(young)], ['confirmed', 'confirmed'])
  const { rows: [event] } = await pool.query("select reason, actor, request_id, outcome from order_events where order_id = $1 and type = 'order.cancelled'", [due!.order.order_id])
  const line = worker.lines.find(({ event }) => event === 'orders_expired')!
  t.strictSame(event, { reason: 'expired', actor: 'rule:stale-orders', request_id: line.run, outcome: 'applied' })
  const { rows: actions } = await pool.query("select actor, role, way, target_id from actions where action = 'orders.expired' and way = 'rule'")
  t.strictSame(actions, [{ actor: 'rule:stale-orders', role: null, way: 'rule', target_id: line.run }])
})
