import { parseArgs } from 'node:util'
import { FLAG, readWithUsage, TEXT, wholeNumber } from '../testkit/options.js'
import { type Fault, type Target, TARGETS } from './faults.js'
import { planFaults } from './nemesis.js'
import { readPlan } from './plan.js'

export interface Options {
  /** Length of the load. */
  seconds: number
  seed: number
  /** Requests a second that the clients begin, whatever becomes of the earlier ones. */
  rate: number
  /** `place`: placements alone, one a request */
  mix: 'all' | 'place'
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
  --faults <list>       targets, comma separated: ${TARGETS.join(', ')} (all); none: no faults
  --plan <text>         these faults instead: "10 broker restart; 30 postgres down 60"
  --rate <n>            requests a second (150)
  --mix place           placements alone
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
      options: { seconds: TEXT, seed: TEXT, faults: TEXT, plan: TEXT, rate: TEXT, mix: TEXT, strict: FLAG, 'token-seconds': TEXT, build: TEXT, out: TEXT }
    })
    const seconds = wholeNumber('seconds', values.seconds ?? '60')
    const seed = wholeNumber('seed', values.seed ?? '1')
    const targets = readTargets(values.faults)
    const faults = values.plan === undefined ? planFaults({ seed, seconds, targets }) : readPlan(values.plan)
    if (values.mix !== undefined && values.mix !== 'place') throw new Error('--mix: there is place')
    return {
      seconds,
      seed,
      rate: wholeNumber('rate', values.rate ?? '150'),
      mix: values.mix ?? 'all',
      faults,
      wanted: values.plan === undefined ? targets.length > 0 : faults.length > 0,
      strict: values.strict === true,
      build: values.build ?? null,
      out: values.out ?? null,
      tokenSeconds: wholeNumber('token-seconds', values['token-seconds'] ?? '900')
    }
  })
}

function readTargets (list: string | undefined): Target[] {
  if (list === undefined) return [...TARGETS]
  if (list === 'none') return []
  return list.split(',').map((name) => {
    const target = TARGETS.find((each) => each === name.trim())
    if (target === undefined) throw new Error(`--faults: no target ${name}`)
    return target
  })
}
