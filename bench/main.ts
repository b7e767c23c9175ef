/**
 * `npm run bench`: drives the real api and worker down every road and sets what they do beside a yardstick: what Fastify,
 * Postgres and the broker can do at most, in the same minute on the same machine. Only the ratios travel from one machine
 * to another. With --sweep: how cost grows along one axis.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './comanda.js'
import { type Endings, toTheEnd } from './endings.js'
import { describeMachine, type Machine } from './machine.js'
import { type Options, readOptions } from './options.js'
import { reportPage } from './page.js'
import { type Players, startPlayers } from './players.js'
import { plotFile } from './plot.js'
import { playRoad, printSummary, summarize, type Summary } from './report.js'
import type { Played } from './road.js'
import { ROADS } from './roads.js'
import { setStage } from './stage.js'
import { playSweep, plotsOf, printSweep } from './sweep.js'
import { SWEEPS } from './sweeps.js'

const RESULTS = join(import.meta.dirname, 'results')

const HOW_MADE = [
  'load: autocannon in a process of its own, closed loop unless said otherwise: each connection waits for its answer before it asks again, so latencies suffer from coordinated omission',
  'api and worker: npm run build, NODE_ENV=production, JWT on, LOG_LEVEL=info into a file',
  'ratio: of each round, ours and the yardstick measured one right after the other; its median, and where the rounds lie',
  'largest resident size: since the process started; one api serves the whole bench, each load has a worker of its own',
  'all of it shares this machine: load, api, worker, Postgres, Redis, RabbitMQ'
]

interface Setting { options: Options, players: Players, machine: Machine, at: string }

async function bench (options: Options, endings: Endings): Promise<void> {
  const at = new Date().toISOString()
  const machine = describeMachine()
  const folder = mkdtempSync(join(tmpdir(), 'comanda-bench-'))
  endings.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(RESULTS, { recursive: true })
  const [stage] = await Promise.all([setStage(process.env, endings), build()])
  Object.assign(machine, stage.services)
  console.log(JSON.stringify({ ...machine, busy: undefined }, null, 1).replaceAll(/[{}",]|\n(?=\s*})/g, '').trim())
  const players = await startPlayers(options, stage, { folder, profiles: options.profile ? RESULTS : null }, endings)
  const setting = { options, players, machine, at }
  if (options.sweep === null) await benchRoads(setting)
  else await benchSweep(setting)
}

async function benchRoads ({ options, players, machine, at }: Setting): Promise<void> {
  const rounds: Record<string, Played[]> = {}
  const summary: Summary[] = []
  for (const road of ROADS.filter(({ name }) => options.only.includes(name))) {
    rounds[road.name] = await playRoad(road, players)
    summary.push(summarize(road, rounds[road.name]!, options))
  }
  printSummary(summary)
  const how = [...HOW_MADE, ...summary.map(({ title, how }) => `${title}: ${how}`)]
  conclude(machine, how)
  save(at, 'json', `${JSON.stringify({ at, options, machine, how, summary, rounds }, null, 2)}\n`)
  if (options.report) save(at, 'html', reportPage({ at, machine, how, summary, rounds }))
}

async function benchSweep ({ options, players, machine, at }: Setting): Promise<void> {
  const sweep = SWEEPS.find(({ name }) => name === options.sweep)!
  console.log(`\n${sweep.name}`)
  const points = await playSweep(sweep, players, options.largest)
  printSweep(sweep, points)
  const how = [...HOW_MADE, sweep.how]
  conclude(machine, how)
  save(at, 'json', `${JSON.stringify({ at, options, machine, how, sweep: sweep.name, units: sweep.units, points }, null, 2)}\n`)
  save(at, 'svg', plotFile(plotsOf(sweep, points)), options.plot)
}

function conclude ({ busy }: Machine, how: readonly string[]): void {
  if (busy !== null) console.log(`\nATTENTION: ${busy}`)
  console.log(`\n${how.join('\n')}\n`)
}

function save (at: string, kind: string, content: string, elsewhere: string | null = null): void {
  const file = elsewhere ?? join(RESULTS, `${at.replaceAll(':', '-')}.${kind}`)
  writeFileSync(file, content)
  console.log(file)
}

await toTheEnd(async (endings) => {
  const options = readOptions(process.argv.slice(2))
  if (options) await bench(options, endings)
})
