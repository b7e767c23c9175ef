/**
 * `npm run drill`: proves the promise that an order answered 202 is booked exactly once or visibly rejected, whichever single
 * process or service dies. Clients place and change orders through two apis, three workers and two relays while faults are
 * done to everything; then all is healed and drained, and what clients and listeners were told is held against the tables.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Cleanup, withCleanup } from '../testkit/cleanup.js'
import { Asking } from '../testkit/clients/asking.js'
import { Random } from '../testkit/random.js'
import { buildInto, givenBuild } from './build.js'
import { check } from './checker.js'
import { Client } from './clients.js'
import { Gauges } from './drain.js'
import { startEnvironment, type Environment, untilReady } from './environment.js'
import { describeFault } from './faults.js'
import { History, now } from './history.js'
import { continueAll } from './injections.js'
import { Listening } from './listening.js'
import { Load } from './load.js'
import { NemesisRun } from './nemesis-run.js'
import { type Options, readOptions } from './options.js'
import { type Person, register } from './people.js'
import { report } from './report.js'
import { readBack, warmUp } from './rounds.js'
import { readTables } from './tables.js'

const HOME = join(import.meta.dirname, '..', '.local', 'drill')
/** So many more take a login each, and make no other load. */
const MOST_CUSTOMERS = 24
const REQUESTS_A_CUSTOMER = 8
const DRAIN_LIMIT_MS = 120_000
/** Longer than any lease, that of a webhook's attempt included, and than the pauses of a relay or listener that could not go on. */
const SILENCE_MS = 30_000
/** The load goes on after the last heal, to see it back at rate. */
const AFTERMATH_MS = 2500

async function drill (options: Options, cleanup: Cleanup): Promise<void> {
  const out = resolve(options.out ?? join(HOME, `${new Date().toISOString().replaceAll(':', '-')}-seed-${options.seed}`))
  mkdirSync(out, { recursive: true })
  console.log(`seed ${options.seed}, ${options.seconds} s, ${options.rate} requests a second; planned faults:`)
  for (const fault of options.faults) console.log(describeFault(fault))
  const build = options.build === null ? await ownBuild(cleanup) : givenBuild(resolve(options.build))
  const environment = await startEnvironment({ stage: options.stage, build, logs: out, seed: options.seed, tokenSeconds: options.tokenSeconds }, cleanup)
  cleanup.add('stopped processes', async () => await continueAll(environment))
  const history = new History(join(out, 'history.jsonl'))
  const asking = new Asking(`http://127.0.0.1:${environment.front}`, Math.max(256, options.rate * 2))
  cleanup.add('clients', () => asking.close())
  const wanted = Math.min(MOST_CUSTOMERS, Math.ceil(options.rate / REQUESTS_A_CUSTOMER))
  const { customers, operator } = await register(environment, asking, history, wanted)
  for (const person of [...customers, operator]) cleanup.add(person.name, () => person.leave())
  const kept = await run(options, environment, { customers, operator, asking, history }, cleanup)
  await history.close()
  kept.listening.write(out)
  if (!report({ options, ...kept, ops: history.ops }, out)) process.exitCode = 1
}

interface Clients { customers: Person[], operator: Person, asking: Asking, history: History }

async function run (options: Options, environment: Environment, { customers, operator, asking, history }: Clients, cleanup: Cleanup) {
  const random = new Random(options.seed)
  const clients = customers.map((person) => new Client(person, asking, history, random))
  const load = new Load(clients, new Client(operator, asking, history, random), { ...options, random })
  const gauges = new Gauges(environment)
  const nemesis = new NemesisRun(environment, { keepApart: !options.faults.some(({ planned }) => planned === true), stage: options.stage })
  cleanup.add('gauges', async () => await gauges.close())
  cleanup.add('load and nemesis', async () => await Promise.all([nemesis.stop(), load.stop()]))
  const listening = new Listening(environment, operator, asking, options.ways)
  cleanup.add('listeners', async () => await listening.stop())
  await listening.start()
  await warmUp(clients)
  console.log('the load begins')
  const from = now()
  gauges.start()
  load.start()
  nemesis.start(options.faults, performance.now())
  await wait(options.seconds * 1000)
  await nemesis.done()
  await untilReady(environment)
  await wait(AFTERMATH_MS)
  await load.stop()
  const to = now()
  console.log('the load has ended: draining')
  const drained = await gauges.drain(DRAIN_LIMIT_MS)
  const tables = await readTables(environment.services.postgres.url)
  await listening.until(tables.events.filter(({ outcome }) => outcome !== 'waiting').length, SILENCE_MS)
  await listening.stop()
  for (const person of [...customers, operator]) person.leave()
  await readBack(clients, history)
  return {
    load: { from, to },
    applied: nemesis.applied,
    leftOut: nemesis.leftOut,
    samples: gauges.samples,
    drained,
    tables,
    listening,
    telling: listening.told,
    verdicts: check(history.ops, tables, listening.told),
    crashes: Object.values(environment.processes).flatMap(({ crashes }) => crashes),
    heldBack: load.heldBack
  }
}

async function ownBuild (cleanup: Cleanup): Promise<string> {
  const folder = join(HOME, `build-${process.pid}`)
  cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  return await buildInto(folder)
}

await withCleanup(async (cleanup) => {
  const options = readOptions(process.argv.slice(2))
  if (options !== null) await drill(options, cleanup)
})
// Whatever a fault left half open must not hold the process: everything that was started has ended.
process.exit()
