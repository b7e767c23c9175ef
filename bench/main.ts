/**
 * `npm run bench`: drives the real api and worker down every path and sets what they do beside a yardstick: what Fastify,
 * Postgres and the broker can do at most, in the same minute on the same machine. Only the ratios travel from one machine
 * to another. With --sweep: how cost grows along one axis.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cleanup, withCleanup } from '../testkit/cleanup.js'
import { plotFile } from '../testkit/plot.js'
import { readSettings } from './options.js'
import { PATHS } from './paths/all.js'
import { reportPage } from './paths/page.js'
import type { RoundResult } from './paths/path.js'
import { measurePath, printSummary, summarize, type Summary } from './paths/report.js'
import { type Rig, startRig } from './placing/rig.js'
import { RESULTS, save } from './results.js'
import type { Settings } from './settings.js'
import { build } from './setup/comanda.js'
import { openEnvironment } from './setup/environment.js'
import { describeMachine, type Machine } from './setup/machine.js'
import { SWEEPS } from './sweeps/all.js'
import { measureSweep, plotsOf, printSweep } from './sweeps/sweep.js'

const HOW_MADE = [
  'load: autocannon in a process of its own, closed loop unless said otherwise: each connection waits for its answer before it asks again, so latencies suffer from coordinated omission',
  'api and worker: npm run build, NODE_ENV=production, JWT on, LOG_LEVEL=info into a file',
  'ratio: of each round, ours and the yardstick measured one right after the other; its median, and where the rounds lie',
  'largest resident size: since the process started; one api serves the whole bench, each load has a worker of its own',
  'all of it shares this machine: load, api, worker, Postgres, Redis, RabbitMQ'
]

interface Run { settings: Settings, rig: Rig, machine: Machine, at: string }

async function bench (settings: Settings, cleanup: Cleanup): Promise<void> {
  const at = new Date().toISOString()
  const machine = describeMachine()
  const folder = mkdtempSync(join(tmpdir(), 'comanda-bench-'))
  cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const [environment] = await Promise.all([openEnvironment(process.env, cleanup), build()])
  Object.assign(machine, environment.services)
  console.log(JSON.stringify({ ...machine, busy: undefined }, null, 1).replaceAll(/[{}",]|\n(?=\s*})/g, '').trim())
  const rig = await startRig(settings, environment, { folder, profiles: settings.profile ? RESULTS : null }, cleanup)
  const run = { settings, rig, machine, at }
  if (settings.sweep === null) await benchPaths(run)
  else await benchSweep(run)
}

async function benchPaths ({ settings, rig, machine, at }: Run): Promise<void> {
  const rounds: Record<string, RoundResult[]> = {}
  const summary: Summary[] = []
  for (const path of PATHS.filter(({ name }) => settings.only.includes(name))) {
    rounds[path.name] = await measurePath(path, rig)
    summary.push(summarize(path, rounds[path.name]!, settings))
  }
  printSummary(summary)
  const how = [...HOW_MADE, ...summary.map(({ title, how }) => `${title}: ${how}`)]
  conclude(machine, how)
  save(`${at}.json`, `${JSON.stringify({ at, options: settings, machine, how, summary, rounds }, null, 2)}\n`)
  if (settings.report) save(`${at}.html`, reportPage({ at, machine, how, summary, rounds }))
}

async function benchSweep ({ settings, rig, machine, at }: Run): Promise<void> {
  const sweep = SWEEPS.find(({ name }) => name === settings.sweep)!
  console.log(`\n${sweep.name}`)
  const points = await measureSweep(sweep, rig, settings.largest)
  printSweep(sweep, points)
  const how = [...HOW_MADE, sweep.how]
  conclude(machine, how)
  save(`${at}.json`, `${JSON.stringify({ at, options: settings, machine, how, sweep: sweep.name, units: sweep.units, points }, null, 2)}\n`)
  save(`${at}.svg`, plotFile(plotsOf(sweep, points)), settings.plot)
}

function conclude ({ busy }: Machine, how: readonly string[]): void {
  if (busy !== null) console.log(`\nATTENTION: ${busy}`)
  console.log(`\n${how.join('\n')}\n`)
}

await withCleanup(async (cleanup) => {
  const settings = readSettings(process.argv.slice(2))
  if (settings) await bench(settings, cleanup)
})
