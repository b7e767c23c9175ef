import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { serializeEvent } from '../../src/orders/envelope.js'
import { countFallback } from '../../src/store/fallback-queue.js'
import { parkedId } from '../../src/store/parked-events.js'
import { enqueueFallback, insertPerson, placement } from '../support/events.js'
import { openPlace, openPool } from '../support/place.js'

/** Processes of the release before run beside those of this one while they are replaced: they know tables by their old names. */
const place = await openPlace(t)
const pool = openPool(t, place)
const user = await insertPerson(pool)

t.test('an api of the release before takes events by the name `outbox`, each once', async (t) => {
  const event = placement(user)
  const insert = async () => (await pool.query(`
    insert into outbox (event_id, order_id, event) select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[])
    on conflict (event_id) do nothing`, [[event.event_id], [event.order.order_id], [serializeEvent(event).json]])).rowCount
  t.strictSame([await insert(), await insert()], [1, 0])
  t.equal(await countFallback(pool), 1)
  await pool.query('delete from fallback_queue')
})

t.test('a worker of the release before claims, locks and deletes what this one put into the fallback queue', async (t) => {
  await enqueueFallback(pool, [placement(user), placement(user)])
  const { rows } = await pool.query<{ outbox_id: string, attempts: number }>(`
    with due as (
      select outbox_id, attempts from outbox where due_at <= now() order by outbox_id limit 10 for update skip locked
    ), oldest as (select outbox_id, attempts from due order by outbox_id limit 1)
    update outbox set attempts = outbox.attempts + 1, due_at = now() + 3000 * interval '1 ms'
    from due, oldest
    where outbox.outbox_id = due.outbox_id and (due.outbox_id = oldest.outbox_id or (due.attempts = 0 and oldest.attempts = 0))
    returning outbox.outbox_id, outbox.attempts, outbox.event_id, outbox.event->>'traceparent' as traceparent`)
  t.strictSame(rows.map(({ attempts }) => attempts), [1, 1])
  const ids = rows.map(({ outbox_id }) => outbox_id)
  t.equal((await pool.query('select outbox_id, attempts, event from outbox where outbox_id = any($1::bigint[]) order by outbox_id for update skip locked', [ids])).rowCount, 2)
  t.equal((await pool.query('delete from outbox where outbox_id = any($1::bigint[])', [ids])).rowCount, 2)
  t.equal(await countFallback(pool), 0)
})

t.test('what an operator did by the command of the release before is among the actions', async (t) => {
  const raw = randomBytes(8)
  await pool.query("insert into parked_events (hash, source, reason, attempts, headers, raw) values (decode($1, 'hex'), 'queue', 'x', 1, '{}', $2)", [parkedId(raw), raw])
  await pool.query(`
    with settled as (update parked_events set settlement = 'discarded', settled_at = now() where hash = decode($1, 'hex') returning hash)
    insert into parked_deeds (hash, deed, done_by) select hash, 'discarded', $2 from settled`, [parkedId(raw), `ana-${randomUUID()}`])
  t.match((await pool.query("select action from parked_actions where hash = decode($1, 'hex')", [parkedId(raw)])).rows, [{ action: 'discarded' }])
})
