import t from 'tap'
import { serializeEvent } from '../../src/orders/envelope.js'
import { inTransaction } from '../../src/store/database.js'
import { park } from '../../src/store/parked-events.js'
import { signed } from '../support/broker.js'
import { booked, insertPerson, placement } from '../support/events.js'
import { openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'

const place = await openPlace(t)
const { pool } = place
const user = await insertPerson(pool)
const [event, forged] = [placement(user), placement(user)]

/** One command as an operator types it. */
async function comanda (...args: string[]): Promise<{ code: number | null, output: string[] }> {
  const run = runComanda(t, args, place.env)
  const code = await run.exited
  return { code, output: run.output }
}

t.test('an empty parking lot says so', async (t) => {
  t.strictSame(await comanda('parked', 'list'), { code: 0, output: ['nothing is parked'] })
})

t.test('from the list to a booked order: list, show, replay, and a worker', async (t) => {
  await inTransaction(pool, async (client) => await park(client, [
    { source: 'dead', reason: 'dead-lettered: delivery_limit', attempts: 101, headers: { messageId: event.event_id, ...signed(serializeEvent(event).json) }, raw: Buffer.from(serializeEvent(event).json) },
    { source: 'queue', reason: 'forged', attempts: 1, headers: {}, raw: Buffer.from(serializeEvent(forged).json) },
    { source: 'queue', reason: 'not UTF-8', attempts: 1, headers: {}, raw: Buffer.from([0xff, 0x00]) }
  ]))
  const list = await comanda('parked', 'list')
  t.equal(list.output.length, 3)
  const line = list.output.find((line) => line.includes('delivery_limit'))!
  t.match(line, /^[0-9a-f]{12} {2}\S+ {2}dead {4}x101 {2}parked {5}dead-lettered: delivery_limit$/)
  const id = line.slice(0, 12)

  const rows = (await comanda('parked', 'list', '--json')).output.map((row) => JSON.parse(row) as { id: string })
  t.match(rows.find((row) => row.id.startsWith(id)), { attempts: 101, raw: serializeEvent(event).json })
  t.ok(rows.some((row) => (row as { raw_base64?: string }).raw_base64 === '/wA='))

  t.strictSame(await comanda('parked', 'replay', id, '--by', 'ana'), { code: 0, output: [`${id}  handed to the fallback queue: 1 order event, booked by the next worker`] })
  t.strictSame(await comanda('parked', 'replay', id), { code: 0, output: [`${id}  was replayed before`] })
  t.equal((await comanda('worker', '--once')).code, 0)
  t.equal((await booked(pool, [event.order.order_id])).orders.length, 1)

  const shown = JSON.parse((await comanda('parked', 'show', id)).output.join('\n')) as object
  t.match(shown, { settlement: 'replayed', headers: { messageId: event.event_id }, actions: [{ action: 'replayed', done_by: 'ana' }] })
})

t.test('what is forged is replayed only with the word of an operator', async (t) => {
  const id = (await comanda('parked', 'list')).output.find((line) => line.endsWith('forged'))!.slice(0, 12)
  const refused = await comanda('parked', 'replay', id)
  t.equal(refused.code, 1)
  t.match(refused.output.join(''), /no signature of ours; `--unsigned` replays it all the same/)
  t.equal((await comanda('parked', 'replay', id, '--unsigned')).code, 0)
  t.equal((await comanda('worker', '--once')).code, 0)
  t.equal((await booked(pool, [forged.order.order_id])).orders.length, 1)
})

t.test('several are settled one by one: what cannot be does not keep the others back, and the exit code tells', async (t) => {
  const [first] = (await comanda('parked', 'list')).output
  const id = first!.slice(0, 12)
  const answer = await comanda('parked', 'discard', 'fedcba', id)
  t.equal(answer.code, 1)
  t.strictSame(answer.output.find((line) => line.startsWith(id)), `${id}  discarded; its bytes are kept`)
  t.match(answer.output.find((line) => line.startsWith('fedcba')), /there is no such parked event/)
  t.strictSame((await comanda('parked', 'list')).output, ['nothing is parked'])
  t.equal((await comanda('parked', 'list', '--all')).output.length, 3)
})

t.test('a number that is none is refused with a word on it', async (t) => {
  const { code, output } = await comanda('parked', 'list', '--limit', '0')
  t.equal(code, 1)
  t.match(output.join('\n'), /a whole number above 0/)
})

t.test('nothing that is parked steers the terminal, and its JSON stays what it was', async (t) => {
  const raw = 'CSI \u009b2J bidi \u202e\u2066\u200f line \u2028 DEL \u007f'
  await inTransaction(pool, async (client) => await park(client, [{ source: 'queue', reason: `steering ${raw}`, attempts: 1, headers: { [raw]: raw }, raw: Buffer.from(raw) }]))
  const id = (await comanda('parked', 'list')).output.find((line) => line.includes('steering'))!.slice(0, 12)
  const printed = [(await comanda('parked', 'list')).output, (await comanda('parked', 'list', '--json')).output, (await comanda('parked', 'show', id)).output]
  // eslint-disable-next-line no-control-regex -- what is looked for
  for (const lines of printed) t.notMatch(lines.join(''), /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
  t.match(JSON.parse(printed[2]!.join('\n')), { raw, headers: { [raw]: raw } })
})
