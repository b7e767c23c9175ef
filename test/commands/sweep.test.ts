import t from 'tap'
import { inTransaction } from '../../src/store/database.js'
import { applyBatch } from '../../src/worker/batch.js'
import { insertPerson, placement } from '../support/events.js'
import { openPlace, openPool } from '../support/place.js'
import { runComanda } from '../support/processes.js'

const place = await openPlace(t)
const pool = openPool(t, place)
const user = await insertPerson(pool)
const comanda = async (args: string[], env: Record<string, string> = { STALE_AFTER: '1h' }) => {
  const { exited, output } = runComanda(t, ['sweep', ...args], { ...place.env, ...env })
  return { code: await exited, output }
}

t.test('a sweep counts first, then hands over what is due, and names itself', async (t) => {
  const past = new Date(Date.now() - 2 * 3_600_000).toISOString()
  const placed = Array.from({ length: 3 }, () => placement(user)).map((event) => ({ ...event, occurred_at: past, order: { ...event.order, created_at: past, updated_at: past } }))
  await inTransaction(pool, async (client) => await applyBatch(client, [...placed, placement(user)]))
  t.match(await comanda(['--dry-run']), { code: 0, output: [/^3 orders are unpaid and unchanged for 1h/] })
  t.equal((await pool.query('select from fallback_queue')).rowCount, 0, 'nothing was done')
  const swept = await comanda(['--by', 'ana'])
  t.match(swept, { code: 0, output: [/^3 orders are cancelled by the next worker.*their timelines name sweep [0-9a-f-]{36}$/] })
  const run = /sweep (\S+)$/.exec(swept.output[0]!)![1]
  const { rows } = await pool.query<{ event: { requestid: string, actor: string, time: string } }>('select event from fallback_queue')
  t.same(rows.map(({ event }) => [event.requestid, event.actor]), Array(3).fill([run, 'rule:stale-orders']))
  t.match((await pool.query('select actor, way, action, target_kind, target_id from actions')).rows, [{ actor: 'cli:ana', way: 'cli', action: 'orders.expired', target_kind: 'sweep', target_id: run }])
  await comanda([])
  t.equal((await pool.query('select from fallback_queue')).rowCount, 3, 'the same sweep again hands over the same events')
})

t.test('without STALE_AFTER no order is ever stale: the sweep is refused by name', async (t) => {
  t.match(await comanda([], {}), { code: 1, output: [/STALE_AFTER is not set/] })
  t.match(await comanda([], { STALE_AFTER: 'soon' }), { code: 1, output: [/STALE_AFTER is not valid/] })
})
