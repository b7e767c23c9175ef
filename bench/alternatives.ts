import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BookedRows } from './booked-rows.js'
import type { Comanda } from './comanda.js'
import { alternatives, comandaItself, type Contestant } from './contestants.js'
import { Endings } from './endings.js'
import { forkScript, type Load, type LoadResult, nextMessage } from './load.js'
import type { Stage } from './stage.js'

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
interface Performance {
  own: LoadResult
  /** Of the orders accepted, those that were rows when the load ended, and when the wait after it did. */
  booked_at_end: number
  booked: number
  /** From the end of the load until all were booked or the wait was given up. */
  behind_s: number
}

export interface Play extends Performance {
  name: string
  /** Bare Fastify under the same load right before, and again when the contestant is gone: the machine may have changed meanwhile. */
  bare: [LoadResult, LoadResult]
}

/** `rounds`: every contestant once a round, Comanda first. */
export interface AlternativesResult { options: AlternativesOptions, rounds: Play[][] }

/**
 * Plays Comanda and what could be taken instead of it, one after another, each with its own worker running.
 * @param comanda its api is running, a worker is not
 * @throws Error when one of them refuses an order, or their packages cannot be installed
 */
export async function playAlternatives (stage: Stage, comanda: Comanda, load: Load, endings: Endings, options: AlternativesOptions): Promise<AlternativesResult> {
  await install()
  const bare = forkScript('bare-fastify.ts', endings)
  const { port } = await nextMessage<{ port: number }>(bare)
  const bareUrl = `http://127.0.0.1:${port}/orders`
  await load.run({ url: bareUrl, connections: options.connections, seconds: WARM_UP_S, token: null })
  const contestants = [comandaItself(comanda, stage), ...alternatives(stage)]
  const rounds: Play[][] = []
  while (rounds.length < options.rounds) {
    const plays: Play[] = []
    for (const contestant of contestants) plays.push(await play(contestant, { load, bareUrl, endings, options }))
    rounds.push(plays)
  }
  bare.kill()
  return { options, rounds }
}

/** Their packages are no part of a plain install. */
async function install (): Promise<void> {
  const script = join(import.meta.dirname, '..', 'scripts', 'install.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [script, join(import.meta.dirname, 'alternatives')])
  if (stdout !== '') console.log(`${stdout.trim()} bench/alternatives`)
}

interface Setting { load: Load, bareUrl: string, endings: Endings, options: AlternativesOptions }

/** What the play started ends with it, and also when a signal ends the bench. */
async function play (contestant: Contestant, { load, bareUrl, endings: all, options }: Setting): Promise<Play> {
  const { connections, seconds } = options
  const endings = new Endings()
  all.add(contestant.name, () => endings.run())
  const loadBare = () => load.run({ url: bareUrl, connections, seconds, token: null })
  try {
    const perform = await rehearse(contestant, load, endings, options)
    const before = await loadBare()
    const performance = await perform()
    await endings.run()
    const played: Play = { name: contestant.name, bare: [before, await loadBare()], ...performance }
    print(played)
    return played
  } finally {
    await endings.run()
  }
}

/** Starts a contestant and warms it up. @returns the measured load */
async function rehearse ({ start }: Contestant, load: Load, endings: Endings, options: AlternativesOptions): Promise<() => Promise<Performance>> {
  const { connections, seconds, acceptOnly = false } = options
  const limit = acceptOnly ? 0 : BEHIND_LIMIT_S
  const { url, databaseUrl, token } = await start(endings, !acceptOnly)
  const rows = new BookedRows(databaseUrl)
  await rows.open(endings)
  const warmUp = await load.run({ url, connections, seconds: WARM_UP_S, token: await token() })
  await rows.reach(warmUp.accepted, limit)
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

function print ({ name, bare, own, booked_at_end: atEnd, booked, behind_s: behind }: Play): void {
  const rate = (load: LoadResult) => `${Math.round(load.rate)}/s`
  console.log(`${name}: bare ${bare.map(rate).join(' and ')}, accepted ${rate(own)}; of ${own.accepted} accepted ${atEnd} were booked at the end of the load, ${booked} ${behind.toFixed(1)} s later`)
}
