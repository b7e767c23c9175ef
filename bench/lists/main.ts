/**
 * `npm run bench:lists`: times every combination of list filters over a small and a large table, and what the indexes for
 * them cost the worker beside other ways to index. Postgres alone is needed: found or started, or give BENCH_DATABASE_URL.
 */
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { type Cleanup, withCleanup } from '../../testkit/cleanup.js'
import { wholeNumber } from '../../testkit/options.js'
import { spread } from '../figures.js'
import { openDatabases } from '../setup/environment.js'
import { fill, openTables } from '../setup/orders-table.js'
import { table } from '../text-table.js'
import { index, INDEXES, type Indexing, measureSteps } from './insert-cost.js'
import { planOf, shapes, timeShapes } from './shapes.js'

const SMALL = 10_000
/** The worst combination over the large table, milliseconds. */
const TARGET_MS = 3

async function bench (cleanup: Cleanup): Promise<void> {
  const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '100' }, batches: { type: 'string', default: '100' } } })
  const read = (name: keyof typeof values) => wholeNumber(name, values[name])
  const [rows, rounds, batches] = [read('rows'), read('rounds'), read('batches')]
  const names = Object.keys(INDEXES) as Indexing[]
  const { urls, postgres } = await openDatabases(process.env, ['small', 'large', ...names.map((_, number) => `indexed_${number}`)], cleanup)
  const pools: pg.Pool[] = []
  for (const url of urls) pools.push(await openTables(url, cleanup))
  console.log(`Postgres ${postgres.version}, fsync ${postgres.fsync}, node ${process.version}`)
  await benchLists(pools[0]!, pools[1]!, rows, rounds)
  await benchInserts(Object.fromEntries(names.map((name, number) => [name, pools[number + 2]!])) as Record<Indexing, pg.Pool>, batches)
}

async function benchLists (small: pg.Pool, large: pg.Pool, rows: number, rounds: number): Promise<void> {
  await fill(small, SMALL)
  await fill(large, rows)
  const wanted = shapes(rows)
  const [few, many] = await timeShapes([{ pool: small, shapes: shapes(SMALL) }, { pool: large, shapes: wanted }], rounds)
  const lines: string[][] = []
  for (const [number, shape] of wanted.entries()) {
    const [before, after] = [few![number]!, many![number]!]
    const plan = await planOf(large, shape)
    lines.push([...shape.words, ...[before.p50, after.p50, after.p99].map((ms) => ms.toFixed(2)), (after.p50 / before.p50).toFixed(2), String(plan.rows), String(plan.pages), plan.how])
  }
  table(['orders of', 'status', 'dates', 'page', `p50 of ${SMALL}`, `p50 of ${rows}`, 'p99', 'ratio of p50', 'rows read', 'pages read', 'how'], lines)
  const worst = Math.max(...many!.map(({ p50 }) => p50))
  console.log(`\nmilliseconds as the client sees them, ${rounds} rounds; worst p50 ${worst.toFixed(2)}, asked <= ${TARGET_MS}: ${worst <= TARGET_MS ? 'met' : 'MISSED'}`)
}

async function benchInserts (pools: Record<Indexing, pg.Pool>, batches: number): Promise<void> {
  for (const [name, columns] of Object.entries(INDEXES)) await index(pools[name as Indexing], columns)
  const steps = await measureSteps(pools, batches)
  const lines = steps.flatMap(({ what, times }) => Object.entries(times).map(([name, ms]) => {
    const first = Object.values(times)[0]!
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
    return [what, name, spread(ms).median.toFixed(1), (spread(first).median / spread(ms).median).toFixed(2), (sum(first) / sum(ms)).toFixed(2)]
  }))
  table(['batches of 1000', 'indexes', 'median, ms', 'rate by medians', 'rate by sums'], lines)
  const sizes: string[][] = []
  for (const [name, pool] of Object.entries(pools)) sizes.push([name, ...await sizesOf(pool)])
  table(['indexes', 'orders', 'both indexes', 'updates in place (HOT)'], sizes)
}

async function sizesOf (pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<Record<string, string>>(`
    select pg_size_pretty(pg_relation_size('orders')) as heap,
      pg_size_pretty(pg_relation_size('orders_list_0') + pg_relation_size('orders_list_1')) as indexes,
      (select n_tup_hot_upd || ' of ' || n_tup_upd from pg_stat_user_tables where relname = 'orders') as in_place`)
  return Object.values(rows[0]!)
}

await withCleanup(bench)
