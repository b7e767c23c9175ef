/**
 * `npm run bench`: drives the real api and worker and sets what they do beside what Fastify and Postgres can do at most,
 * in the same run on the same machine. Only the ratios travel from one machine to another.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { build, Comanda } from './comanda.js'
import { type Endings, toTheEnd } from './endings.js'
import { Load } from './load.js'
import { type Options, readOptions } from './options.js'
import { printSummary, summarize } from './report.js'
import { type Players, playRound, type Round, startBareFastify, warmUp } from './round.js'
import { setStage, type Stage } from './stage.js'
import { Tables } from './tables.js'

const RESULTS = join(import.meta.dirname, 'results')

/** Load average a core from which on others are in the way: the api and its services need every core, the bare server two. */
const BUSY = 0.25

const HOW_MADE = [
  'load: autocannon in a process of its own, closed loop: each connection waits for its answer before it asks again, so latencies suffer from coordinated omission',
  'bare Fastify: same body and response schema, same size of answer; no authentication, no log; the load process may be what limits it (load_cpu near 1)',
  'api and worker: npm run build, NODE_ENV=production, JWT on, LOG_LEVEL=info into a file',
  'backlog: placed through the api over HTTP with the worker stopped; drained by one worker started on it',
  'all of it shares this machine: load, api, worker, Postgres, Redis, RabbitMQ'
]

async function bench (options: Options, endings: Endings): Promise<void> {
  const busy = Math.round(loadavg()[0]! * 100) / 100
  const folder = mkdtempSync(join(tmpdir(), 'comanda-bench-'))
  endings.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const [stage] = await Promise.all([setStage(process.env, endings), build()])
  const machine = { ...describeMachine(stage), load_average_before: busy }
  console.log(JSON.stringify(machine, null, 1).replaceAll(/[{}",]|\n(?=\s*})/g, '').trim())
  const players = await startPlayers(options, stage, folder, endings)
  await warmUp(players)
  const rounds: Round[] = []
  while (rounds.length < options.rounds) {
    const round = await playRound(players)
    rounds.push(round)
    printRound(rounds.length, round)
  }
  const summary = summarize(rounds, options)
  printSummary(summary)
  if (busy > cpus().length * BUSY) console.log(`\nATTENTION: the machine was busy before the bench began (load average ${busy} on ${cpus().length} cores): these figures are too low, the ratios too`)
  console.log(`\n${HOW_MADE.join('\n')}`)
  const at = new Date().toISOString()
  mkdirSync(RESULTS, { recursive: true })
  const file = join(RESULTS, `${at.replaceAll(':', '-')}.json`)
  writeFileSync(file, `${JSON.stringify({ at, options, machine, how: HOW_MADE, summary, rounds }, null, 2)}\n`)
  console.log(`\n${file}`)
}

async function startPlayers (options: Options, stage: Stage, folder: string, endings: Endings): Promise<Players> {
  const comanda = new Comanda(stage, folder, options.profile ? ['--cpu-prof', `--cpu-prof-dir=${RESULTS}`] : [], endings)
  const api = await comanda.startApi()
  const tables = new Tables(stage.databaseUrl)
  await tables.open(endings)
  return { options, comanda, api, tables, load: new Load(endings), bare: await startBareFastify(endings) }
}

function describeMachine ({ services }: Stage): Record<string, unknown> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    ...services
  }
}

function printRound (number: number, { worker_running: running, worker_stopped: stopped, drain, unnest, memory_mib: mib }: Round): void {
  const rate = (value: number) => `${Math.round(value)}/s`
  console.log(`round ${number}: bare ${rate(running.bare.rate)}, accepted ${rate(running.api.rate)} (worker running); ` +
    `bare ${rate(stopped.bare.rate)}, accepted ${rate(stopped.api.rate)} (worker stopped); ` +
    `drained ${drain.orders} at ${rate(drain.rate)} in ${drain.batches} batches, plain unnest ${rate(unnest.rate)}; api ${mib.api} MiB, worker ${mib.worker} MiB`)
  if (drain.by_outbox > 0) console.log(`  ATTENTION: ${drain.by_outbox} orders went by the outbox: the broker did not confirm in time`)
}

await toTheEnd(async (endings) => {
  const options = readOptions(process.argv.slice(2))
  if (options) await bench(options, endings)
})
