import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readWithUsage, TEXT, wholeNumber } from '../../testkit/options.js'

export interface Options {
  /** From the project's folder, as `test/broker/group.test.ts`. */
  files: string[]
  /** All there are: what is looked for in their logs must then be there. */
  whole: boolean
  /** How often all of it is run. */
  repeat: number
  /** Of the order, and of whatever a test draws by chance. */
  seed: number
  order: 'slowest' | 'random'
  /** Files that run at the same time. */
  jobs: number
}

const USAGE = `npm test -- [files and folders] [options]
  test/worker test/cli.test.ts   these alone
  --repeat <n>                   all of it so often; it ends at the first time that is not green
  --order random                 instead of the slowest first
  --seed <n>                     of the order and of random inputs: what an earlier run printed
  --jobs <n>                     files at a time (${jobsHere()} here)`

/** @returns null when only the usage was asked for, and printed @throws Error with the usage for what cannot be understood */
export function readOptions (args: readonly string[]): Options | null {
  return readWithUsage(args, USAGE, () => {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { repeat: TEXT, order: TEXT, seed: TEXT, jobs: TEXT } })
    if (values.order !== undefined && values.order !== 'random' && values.order !== 'slowest') throw new Error('--order: there are slowest and random')
    return {
      files: [...new Set((positionals.length > 0 ? positionals : ['test']).flatMap(filesOf))],
      whole: positionals.length === 0,
      repeat: wholeNumber('repeat', values.repeat ?? '1'),
      seed: wholeNumber('seed', values.seed ?? String(randomInt(1, 2 ** 31))),
      order: values.order ?? 'slowest',
      jobs: wholeNumber('jobs', values.jobs ?? String(jobsHere()))
    }
  })
}

function jobsHere (): number {
  return Math.min(availableParallelism(), 4)
}

function filesOf (path: string): string[] {
  if (!existsSync(path)) throw new Error(`there is no ${path}`)
  const files = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => join(path, file)) : [join(path)]
  const tests = files.filter((file) => file.endsWith('.test.ts')).sort()
  if (tests.length === 0) throw new Error(`there is no test in ${path}`)
  return tests
}
