import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { NodeProcess } from '../../testkit/processes.js'
import type { LogLine } from './apps.js'
import { BUILD } from './build.js'
import { limitOf } from './limits.js'
import { keepLine } from './personal-data.js'

/** `comanda` as a process of its own, as an operator runs it. */
export interface Process {
  child: ChildProcess
  /** Log lines and whatever else it printed, as it came. */
  output: string[]
  /** The log line with this code; fails when the process ends or the limit passes before it. */
  said (event: string, limitMs?: number): Promise<LogLine>
  /** Resolves with the exit code, null after a kill. */
  exited: Promise<number | null>
}

export function runComanda (t: Test, args: string[], env: Record<string, string>): Process {
  return runBuilt(t, 'src/cli.js', args, env)
}

/** @param file of the project, as it was transpiled; or anywhere, by its whole path */
export function runBuilt (t: Test, file: string, args: string[], env: Record<string, string>): Process {
  const { HOME, TEST_MARK } = process.env
  const own = new NodeProcess([resolve(BUILD, file), ...args], { HOME, TEST_MARK, ...env }, ['ignore', 'pipe', 'pipe', 'ipc'])
  const { child } = own
  const output: string[] = []
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface(stream).on('line', (line) => {
      output.push(line)
      keepLine(line)
      child.emit('output', line)
    })
  }
  const exited = own.ended.then(({ code }) => code)
  t.teardown(async () => {
    if (!t.passing()) for (const line of output) t.comment(line)
    own.signal('SIGKILL')
    await exited
  })
  const said = async (event: string, limitMs = 20_000): Promise<LogLine> => {
    const limit = AbortSignal.timeout(limitOf(limitMs))
    for (;;) {
      const found = output.map(parsed).find((line) => line?.event === event)
      if (found) return found
      await Promise.race([
        once(child, 'output', { signal: limit }),
        exited.then(() => { throw new Error(`it ended before it logged ${event}`) })
      ])
    }
  }
  return { child, output, exited, said }
}

function parsed (line: string): LogLine | null {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return null
  }
}

/** The port that a process listens on, from its own log line. */
export function portOf (started: LogLine): number {
  return (started.addresses as Array<{ port: number }>)[0]!.port
}
