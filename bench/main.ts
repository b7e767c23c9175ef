/**
 * `npm run bench`: drives the real api and worker down every road and sets what they do beside a yardstick: what Fastify,
 * Postgres and the broker can do at most, in the same minute on the same machine. Only the ratios travel from one machine to another.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './comanda.js'
import { type Endings, toTheEnd } from './endings.js'
import { describeMachine, type Machine } from './machine.js'
import { type Options, readOptions } from './options.js'
import { type Players, startPlayers } from './players.js'
import { printSummary, shown, summarize, type Summary } from './report.js'
import type { Played, Road } from './road.js'
import { ROADS } from './roads.js'
import { setStage } from './stage.js'

const RESULTS = join(import.meta.dirname, 'results')

const HOW_MADE = [
  'load: autocannon in a process of its own, closed loop unless said otherwise: each connection waits for its answer before it asks again, so latencies suffer from coordinated omission',
  'api and worker: npm run build, NODE_ENV=production, JWT on, LOG_LEVEL=info into a file',
  'ratio: of each round, ours and the yardstick measured one right after the other; its median, and where the rounds lie',
  'all of it shares this machine: load, api, worker, Postgres, Redis, RabbitMQ'
]

export interface Result { at: string, options: Options, machine: Machine, how: string[], summary: Summary[], rounds: Record<string, Played[]> }

async function bench (options: Options, endings: Endings): Promise<void> {
  const players = await setUp(options, endings)
  const result: Result = { at: new Date().toISOString(), options, machine: players.machine, how: HOW_MADE, summary: [], rounds: {} }
  for (const road of ROADS.filter(({ name }) => options.only.includes(name))) {
    const rounds = await playRoad(road, players)
    result.rounds[road.name] = rounds
    result.summary.push(summarize(road, rounds, options))
  }
  printSummary(result.summary)
  if (players.machine.busy !== null) console.log(`\nATTENTION: ${players.machine.busy}`)
  console.log(`\n${[...HOW_MADE, ...result.summary.map(({ title, how }) => `${title}: ${how}`)].join('\n')}`)
  mkdirSync(RESULTS, { recursive: true })
  const file = join(RESULTS, result.at.replaceAll(':', '-'))
  writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 2)}\n`)
  console.log(`\n${file}.json`)
}

async function setUp (options: Options, endings: Endings): Promise<Players & { machine: Machine }> {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-bench-'))
  endings.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const machine = describeMachine()
  const [stage] = await Promise.all([setStage(process.env, endings), build()])
  Object.assign(machine, stage.services)
  console.log(JSON.stringify(machine, null, 1).replaceAll(/[{}",]|\n(?=\s*})/g, '').trim())
  return { ...await startPlayers(options, stage, { folder, profiles: options.profile ? RESULTS : null }, endings), machine }
}

async function playRoad (road: Road, players: Players): Promise<Played[]> {
  console.log(`\n${road.title(players.options)}`)
  await road.prepare?.(players)
  const rounds: Played[] = []
  while (rounds.length < (road.rounds ?? players.options.rounds)) {
    const played = await road.play(players)
    rounds.push(played)
    console.log(`  round ${rounds.length}: ${Object.entries(road.units).map(([figure, unit]) => `${figure} ${shown(played.figures[figure] ?? Number.NaN)} ${unit}`).join('; ')}`)
    if (played.attention) console.log(`  ATTENTION: ${played.attention}`)
  }
  return rounds
}

await toTheEnd(async (endings) => {
  const options = readOptions(process.argv.slice(2))
  if (options) await bench(options, endings)
})
