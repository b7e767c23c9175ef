import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { newId } from '../../src/ids.js'
import type { Job, JobKind, ParkedSelection } from '../../src/jobs/job.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { stepJob } from '../../src/parking/job-step.js'
import { listActions } from '../../src/store/actions.js'
import { cancelJob, createJob, findJob, listJobs, takeJob } from '../../src/store/jobs.js'
import { listParked, park, parkedId } from '../../src/store/parked-events.js'
import type { Actor } from '../../src/users/actions.js'
import { startWorker } from '../support/apps.js'
import { booked, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { openPlace, openPool } from '../support/place.js'
import { runComanda } from '../support/processes.js'

const place = await openPlace(t)
const pool = openPool(t, place, { max: 6 })
const user = await insertPerson(pool)
const by: Actor = { actor: 'operator:7', role: 'operator', way: 'api', request_id: 'the-request' }
const trust = { mac: null }

/** Parked events that a replay books, under a reason of their own. */
async function parkEvents (count: number, reason: string = randomUUID()): Promise<{ reason: string, orders: string[], ids: string[] }> {
  const events = Array.from({ length: count }, () => placement(user))
  const raws = events.map((event) => Buffer.from(serializeEvent(event).json))
  await park(pool, raws.map((raw) => ({ source: 'queue', reason, attempts: 1, headers: {}, raw })))
  return { reason, orders: events.map(({ order }) => order.order_id), ids: raws.map(parkedId) }
}
const begin = async (kind: JobKind, selection: ParkedSelection): Promise<Job> => await createJob(pool, { job_id: newId(), kind, selection, by })
const seen = async ({ job_id: id }: Job): Promise<Job> => (await findJob(pool, id))!
/** Steps until the job is over, without its pauses. */
async function finish (job: Job): Promise<Job> {
  for (let steps = 0; (await seen(job)).state === 'running'; steps++) {
    if (steps > 1000) throw new Error('it never ends')
    await pool.query('update jobs set due_at = now()')
    await stepJob(pool, trust)
  }
  return await seen(job)
}
const open = async (selection: ParkedSelection) => (await listParked(pool, { ...selection, settled: false, limit: 1000 })).length

t.test('a job settles what was selected and nothing else, each item with an action of who asked for it', async (t) => {
  const [mine, other] = [await parkEvents(60), await parkEvents(3)]
  const job = await begin('parked.discard', { reason: mine.reason })
  t.match(job, { state: 'running', total: 60, done: 0, failed: 0, actor: 'operator:7', settled_at: null })
  t.match(await finish(job), { state: 'done', total: 60, done: 60, failed: 0, settled_at: String })
  t.same([await open({ reason: mine.reason }), await open({ reason: other.reason })], [0, 3])
  const actions = await listActions(pool, { target: { kind: 'parked_event', id: mine.ids[0] }, limit: 10 })
  t.match(actions, [{ actor: 'operator:7', role: 'operator', way: 'api', action: 'parked.discarded', request_id: 'the-request' }])
  t.equal(actions.length, 1)
  t.match(await listActions(pool, { target: { kind: 'job', id: job.job_id }, limit: 10 }), [{ action: 'job.created' }])
})

t.test('each member of a selection narrows it', async (t) => {
  const { reason, orders, ids } = await parkEvents(4)
  const counted = async (selection: ParkedSelection) => (await begin('parked.discard', { reason, ...selection })).total
  const since = new Date(Date.now() + 3_600_000).toISOString()
  t.same(await Promise.all([
    counted({}), counted({ ids: ids.slice(0, 2) }), counted({ order_id: orders[3] }), counted({ text: `"subject":"${orders[1]}"` }), counted({ text: '%' }),
    counted({ source: 'queue' }), counted({ source: 'dead' }), counted({ parked_before: since }), counted({ parked_from: since })
  ]), [4, 2, 1, 1, 0, 4, 0, 4, 0])
  await pool.query("update jobs set state = 'cancelled', settled_at = now() where state = 'running'")
})

t.test('what cannot be settled is left as it is, told with its code, and keeps nothing back', async (t) => {
  const { reason } = await parkEvents(30)
  const bad = [Buffer.from(`not json ${reason}`), Buffer.from(`nor this ${reason}`)]
  await park(pool, bad.map((raw) => ({ source: 'queue', reason, attempts: 1, headers: {}, raw })))
  await park(pool, [{ source: 'dead', reason, attempts: 1, headers: {}, raw: Buffer.from(JSON.stringify({ data: '\\u0000', reason })) }])
  const done = await finish(await begin('parked.replay', { reason }))
  t.match(done, { state: 'done', total: 33, done: 30, failed: 3 })
  t.same(new Set(done.failures.map(({ code }) => code)), new Set(['unreadable']))
  t.ok(bad.every((raw) => done.failures.some(({ parked_id: id }) => id === parkedId(raw))))
  t.equal(await open({ reason }), 3)
})

t.test('an item that Postgres refuses is undone alone: it stays open, without an action, and the others are settled', async (t) => {
  const { reason, ids, orders } = await parkEvents(3)
  await pool.query('create function refuse_one () returns trigger language plpgsql as $$ begin raise exception \'planted\' using errcode = \'check_violation\'; end $$')
  await pool.query(`create trigger refuse_one before insert on fallback_queue for each row when (new.order_id = '${orders[1]}') execute function refuse_one()`)
  t.match(await finish(await begin('parked.replay', { reason })), { done: 2, failed: 1, failures: [{ parked_id: ids[1], code: 'not_storable' }] })
  await pool.query('drop trigger refuse_one on fallback_queue')
  t.same((await listParked(pool, { reason, settled: false, limit: 10 })).map(({ id }) => id), [ids[1]])
  t.same((await listActions(pool, { target: { kind: 'parked_event', id: ids[1] }, limit: 10 })), [])
  t.equal((await pool.query('select from fallback_queue where order_id = any($1)', [orders])).rowCount, 2)
})

t.test('a job that is cancelled stops between two steps, and what is done stays done', async (t) => {
  const { reason } = await parkEvents(60)
  const job = await begin('parked.discard', { reason })
  await stepJob(pool, trust)
  t.equal(await stepJob(pool, trust), null, 'the next step is not due at once')
  t.match(await cancelJob(pool, job.job_id, by), { state: 'cancelled', done: 25, settled_at: String })
  await pool.query('update jobs set due_at = now()')
  t.equal(await stepJob(pool, trust), null)
  t.equal(await open({ reason }), 35)
  t.match(await cancelJob(pool, job.job_id, by), { state: 'cancelled', done: 25 })
  t.equal((await listActions(pool, { target: { id: job.job_id }, action: 'job.cancelled', limit: 10 })).length, 1)
  t.equal(await cancelJob(pool, newId(), by), null)
})

t.test('a job that one worker is at is passed over by the others, at once', async (t) => {
  const job = await begin('parked.discard', { reason: (await parkEvents(2)).reason })
  const holder = await pool.connect()
  try {
    await holder.query('begin')
    t.match(await takeJob(holder), { job_id: job.job_id })
    t.equal(await stepJob(pool, trust), null)
  } finally {
    await holder.query('rollback')
    holder.release()
  }
  t.match(await stepJob(pool, trust), { job_id: job.job_id, state: 'done' })
})

t.test('of several workers at one job none does an item twice', async (t) => {
  const { reason, ids } = await parkEvents(200)
  const job = await begin('parked.replay', { reason })
  const work = async () => {
    while ((await seen(job)).state === 'running') {
      await pool.query('update jobs set due_at = now() where due_at > now()').catch(() => {})
      await stepJob(pool, trust)
    }
  }
  await Promise.all([work(), work(), work()])
  t.match(await seen(job), { state: 'done', total: 200, done: 200, failed: 0 })
  const { rows: [row] } = await pool.query<{ actions: number, items: number }>("select count(*)::integer as actions, count(distinct target_id)::integer as items from actions where action = 'parked.replayed' and target_id = any($1)", [ids])
  t.same(row, { actions: 200, items: 200 })
})

t.test('what is parked after a job was asked for is not of it', async (t) => {
  const { reason } = await parkEvents(2)
  const job = await begin('parked.discard', { reason })
  await parkEvents(3, reason)
  t.match(await finish(job), { total: 2, done: 2 })
  t.equal(await open({ reason }), 3)
})

t.test('a job about nothing is done at once', async (t) => {
  t.match(await begin('parked.replay', { reason: randomUUID() }), { state: 'done', total: 0, settled_at: String })
})

t.test('jobs are listed newest first, by state too', async (t) => {
  const jobs = [await begin('parked.replay', { reason: randomUUID() }), await begin('parked.discard', { reason: (await parkEvents(1)).reason })]
  const listed = async (filter: object) => (await listJobs(pool, { limit: 2, ...filter })).map(({ job_id: id }) => id)
  t.same(await listed({}), jobs.map(({ job_id: id }) => id).reverse())
  t.equal((await listed({ before: jobs[1]!.job_id }))[0], jobs[0]!.job_id)
  t.equal((await listed({ state: 'running' }))[0], jobs[1]!.job_id)
  await finish(jobs[1]!)
})

/** A worker of the built product, in a process of its own that can be killed. */
const startOwn = (t: Test) => runComanda(t, ['worker'], { ...place.env, AMQP_URL: '', REDIS_URL: '' })

t.test('a worker that is killed in the middle of a job leaves nothing half done, and another goes on', async (t) => {
  const { reason, orders, ids } = await parkEvents(150)
  const job = await begin('parked.replay', { reason })
  const first = startOwn(t)
  await eventually('it has begun', async () => (await seen(job)).done > 0)
  first.child.kill('SIGKILL')
  const at = await eventually('its session is over', async () => {
    const { rows: [row] } = await pool.query<{ sessions: number }>("select count(*)::integer as sessions from pg_stat_activity where datname = current_database() and application_name like 'comanda worker%'")
    return row!.sessions === 0 && await seen(job)
  })
  t.equal(at.state, 'running')
  t.equal((await listActions(pool, { action: 'parked.replayed', limit: 1000 })).filter(({ target_id: id }) => ids.includes(id)).length, at.done, 'each item that is done has its action, and no other')
  await startWorker(t, place, { AMQP_URL: '', REDIS_URL: '' })
  await eventually('it is done', async () => (await seen(job)).state === 'done')
  t.match(await seen(job), { total: 150, done: 150, failed: 0 })
  await eventually('every order is booked', async () => (await booked(pool, orders)).orders.length === 150)
  t.equal((await booked(pool, orders)).events.length, 150)
})
