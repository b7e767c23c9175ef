import { parseArgs } from 'node:util'
import { FLAG, readWithUsage, TEXT, wholeNumber } from '../testkit/options.js'
import { planClusterFaults } from './cluster-plan.js'
import { type Fault, type Stage, STAGES, type Target, TARGETS } from './faults.js'
import { planFaults } from './nemesis.js'
import { readPlan } from './plan.js'
import { type Way, WAYS } from './telling.js'

export interface Options {
  /** Length of the load. */
  seconds: number
  seed: number
  /** Requests a second that the clients begin, whatever becomes of the earlier ones. */
  rate: number
  /** `place`: placements alone, one a request */
  mix: 'all' | 'place'
  stage: Stage
  /** Who is told and judged by it. */
  ways: readonly Way[]
  faults: Fault[]
  /** Whether faults were asked for: a run that then applies none proves nothing. */
  wanted: boolean
  /** A placement that is not answered 202 is a failure as well. */
  strict: boolean
  /** The built service to drill; null: built for this run. */
  build: string | null
  /** Where the report goes; null: a folder of its own below .local/drill. */
  out: string | null
  /** Life of an access token. */
  tokenSeconds: number
}

const USAGE = `npm run drill -- [options]
  --seconds <n>         length of the load (60)
  --seed <n>            the same seed plans the same faults (1)
  --stage cluster       three brokers and a Postgres with a standby; each of their faults once (then 180 seconds)
  --faults <list>       targets, comma separated: ${TARGETS.join(', ')} (all); none: no faults
  --plan <text>         these faults instead: "10 broker restart; 30 postgres down 60"
  --rate <n>            requests a second (150)
  --mix place           placements alone
  --listeners <list>    ways that are listened on: exchange, stream, webhook (all); none
  --strict              a placement not answered 202 is a failure too
  --token-seconds <n>   life of an access token (900)
  --build <folder>      drill this build instead of one made for the run
  --out <folder>        where report.json, report.html, history.jsonl and the logs go
Services of its own are started and stopped; nothing else on the machine is touched. Exit code 0: the promise held.`

/** @returns null when only the usage was asked for, and printed @throws Error with the usage for anything unknown */
export function readOptions (args: string[]): Options | null {
  return readWithUsage(args, USAGE, () => {
    const { values } = parseArgs({
      args,
      options: { seconds: TEXT, seed: TEXT, stage: TEXT, faults: TEXT, plan: TEXT, rate: TEXT, mix: TEXT, listeners: TEXT, strict: FLAG, 'token-seconds': TEXT, build: TEXT, out: TEXT }
    })
    const stage = readStage(values.stage, values.faults)
    const seconds = wholeNumber('seconds', values.seconds ?? (stage === 'cluster' ? '180' : '60'))
    const seed = wholeNumber('seed', values.seed ?? '1')
    const targets = readTargets(values.faults)
    const planned = () => stage === 'cluster' && targets.length > 0 ? planClusterFaults({ seed, seconds }) : planFaults({ seed, seconds, targets })
    const faults = values.plan === undefined ? planned() : readPlan(values.plan, stage)
    if (values.mix !== undefined && values.mix !== 'place') throw new Error('--mix: there is place')
    return {
      seconds,
      seed,
      rate: wholeNumber('rate', values.rate ?? '150'),
      mix: values.mix ?? 'all',
      stage,
      ways: readWays(values.listeners),
      faults,
      wanted: values.plan === undefined ? targets.length > 0 : faults.length > 0,
      strict: values.strict === true,
      build: values.build ?? null,
      out: values.out ?? null,
      tokenSeconds: wholeNumber('token-seconds', values['token-seconds'] ?? '900')
    }
  })
}

function readStage (name = 'single', faults: string | undefined): Stage {
  const stage = STAGES.find((each) => each === name)
  if (stage === undefined) throw new Error(`--stage: there are ${STAGES.join(', ')}`)
  if (stage === 'cluster' && faults !== undefined && faults !== 'none') throw new Error('--faults: the clustered stage does each of its faults; --plan chooses')
  return stage
}

function readWays (list: string | undefined): Way[] {
  if (list === undefined) return [...WAYS]
  return namesIn('listeners', 'way', list, WAYS)
}

function readTargets (list: string | undefined): Target[] {
  if (list === undefined) return [...TARGETS]
  return namesIn('faults', 'target', list, TARGETS)
}

function namesIn<Name extends string> (option: string, what: string, list: string, all: readonly Name[]): Name[] {
  if (list === 'none') return []
  return list.split(',').map((name) => {
    const known = all.find((each) => each === name.trim())
    if (known === undefined) throw new Error(`--${option}: no ${what} ${name}`)
    return known
  })
}
