import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Cleanup } from '../../testkit/cleanup.js'
import type { Load, LoadResult } from '../load/load.js'
import { forkScript, nextMessage } from '../script.js'
import type { Comanda } from '../setup/comanda.js'
import type { Environment } from '../setup/environment.js'
import { BookedRows } from './booked-rows.js'
import { alternatives, comandaItself, type Contestant } from './contestants.js'

/** How long an alternative may work off what it has accepted, after the load. */
const BEHIND_LIMIT_S = 15
const WARM_UP_S = 2

export interface AlternativesOptions {
  rounds: number
  /** Length of one timed load. */
  seconds: number
  connections: number
  /** No worker runs: what accepting alone can do. Nothing is booked then but by fastify-insert. */
  acceptOnly?: boolean
}

/** What one contestant did under load, after a warm-up that is not measured. */
interface Measured {
  own: LoadResult
  /** Of the orders accepted, those that were rows when the load ended, and when the wait after it did. */
  booked_at_end: number
  booked: number
  /** From the end of the load until all were booked or the wait was given up. */
  behind_s: number
}

export interface Trial extends Measured {
  name: string
  /** Bare Fastify under the same load right before, and again when the contestant is gone: the machine may have changed meanwhile. */
  bare: [LoadResult, LoadResult]
}

/** `rounds`: every contestant once a round, Comanda first. */
export interface AlternativesResult { options: AlternativesOptions, rounds: Trial[][] }

/**
 * Measures Comanda and what could be taken instead of it, one after another, each with its own worker running.
 * @param comanda its api is running, a worker is not
 * @throws Error when one of them refuses an order, or their packages cannot be installed
 */
export async function compareAlternatives (environment: Environment, comanda: Comanda, load: Load, cleanup: Cleanup, options: AlternativesOptions): Promise<AlternativesResult> {
  await install()
  const bare = forkScript('yardsticks/bare-fastify.ts', cleanup)
  const { port } = await nextMessage<{ port: number }>(bare)
  const bareUrl = `http://127.0.0.1:${port}/orders`
  await load.run({ url: bareUrl, connections: options.connections, seconds: WARM_UP_S, token: null })
  const contestants = [comandaItself(comanda, environment), ...alternatives(environment)]
  const rounds: Trial[][] = []
  while (rounds.length < options.rounds) {
    const trials: Trial[] = []
    for (const contestant of contestants) trials.push(await measure(contestant, { load, bareUrl, cleanup, options }))
    rounds.push(trials)
  }
  bare.kill()
  return { options, rounds }
}

/** Their packages are no part of a plain install. */
async function install (): Promise<void> {
  const script = join(import.meta.dirname, '../../scripts/install.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [script, join(import.meta.dirname, 'contestants')])
  if (stdout !== '') console.log(`${stdout.trim()} bench/alternatives/contestants`)
}

interface Means { load: Load, bareUrl: string, cleanup: Cleanup, options: AlternativesOptions }

/** What the contestant started ends with it, and also when a signal ends the bench. */
async function measure (contestant: Contestant, { load, bareUrl, cleanup: all, options }: Means): Promise<Trial> {
  const { connections, seconds } = options
  const cleanup = new Cleanup()
  all.add(contestant.name, () => cleanup.run())
  const loadBare = () => load.run({ url: bareUrl, connections, seconds, token: null })
  try {
    const run = await warmUp(contestant, load, cleanup, options)
    const before = await loadBare()
    const measured = await run()
    await cleanup.run()
    const trial: Trial = { name: contestant.name, bare: [before, await loadBare()], ...measured }
    print(trial)
    return trial
  } finally {
    await cleanup.run()
  }
}

/** Starts a contestant and warms it up. @returns the measured load */
async function warmUp ({ start }: Contestant, load: Load, cleanup: Cleanup, options: AlternativesOptions): Promise<() => Promise<Measured>> {
  const { connections, seconds, acceptOnly = false } = options
  const limit = acceptOnly ? 0 : BEHIND_LIMIT_S
  const { url, databaseUrl, token } = await start(cleanup, !acceptOnly)
  const rows = new BookedRows(databaseUrl)
  await rows.open(cleanup)
  const warm = await load.run({ url, connections, seconds: WARM_UP_S, token: await token() })
  await rows.reach(warm.accepted, limit)
  await rows.checkpoint()
  return async () => {
    const before = await rows.count()
    const own = await load.run({ url, connections, seconds, token: await token() })
    const booked = (count: number) => Math.min(count - before, own.accepted)
    const atEnd = await rows.count()
    const end = await rows.reach(before + own.accepted, limit)
    return { own, booked_at_end: booked(atEnd), booked: booked(end.rows), behind_s: end.seconds }
  }
}

function print ({ name, bare, own, booked_at_end: atEnd, booked, behind_s: behind }: Trial): void {
  const rate = (load: LoadResult) => `${Math.round(load.rate)}/s`
  console.log(`${name}: bare ${bare.map(rate).join(' and ')}, accepted ${rate(own)}; of ${own.accepted} accepted ${atEnd} were booked at the end of the load, ${booked} ${behind.toFixed(1)} s later`)
}
