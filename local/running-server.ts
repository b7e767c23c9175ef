import { existsSync, readFileSync } from 'node:fs'
import { endProcess, killTree, processTree, signal, startMark, until } from './processes.js'
import type { RabbitControl, Running } from './service.js'
import { lastServer, type ServerRecord } from './state-folder.js'

export interface ServerParts {
  readonly url: string
  readonly stateDir: string
  readonly record: Pick<ServerRecord, 'pid' | 'port'>
  readonly adopted: boolean
  readonly stopSignal: NodeJS.Signals
  /** Milliseconds an orderly end may take. */
  readonly stopLimitMs: number
  readonly control?: RabbitControl
  /** What has to go after the server itself. */
  afterStop?(): Promise<void>
}

/** The handle on a started server. It never signals a later process that happens to have the same pid. */
export function runningServer (parts: ServerParts): Running {
  const { pid, port } = parts.record
  const mark = startMark(pid)
  const isThere = () => mark !== null && startMark(pid) === mark
  return {
    url: parts.url,
    pid,
    port,
    stateDir: parts.stateDir,
    adopted: parts.adopted,
    ...(parts.control === undefined ? {} : { control: parts.control }),
    async kill (name) {
      if (!isThere()) return
      if (name === 'SIGKILL') return await killTree(pid)
      const whole = name === 'SIGSTOP' || name === 'SIGCONT'
      for (const each of whole ? processTree(pid) : [pid]) signal(each, name)
    },
    async stop () {
      if (isThere()) await endProcess(pid, parts.stopSignal, parts.stopLimitMs)
      await parts.afterStop?.()
    }
  }
}

/** The end of a log, for an error message. */
export function logTail (file: string): string {
  if (!existsSync(file)) return ''
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n')
}

export interface Readiness {
  /** For the message, as "Postgres". */
  readonly what: string
  readonly pid: number
  readonly log: string
  readonly limitMs: number
  answers(): Promise<boolean>
}

/** Waits until a server just started answers. Throws with the end of its log when it dies or takes too long. */
export async function untilReady (server: Readiness): Promise<void> {
  try {
    await until(`${server.what} does not answer`, server.limitMs, async () => {
      if (await server.answers()) return true
      if (startMark(server.pid) === null) throw new Error(`${server.what} ended while starting`)
      return false
    })
  } catch (error) {
    if (startMark(server.pid) !== null) await killTree(server.pid)
    throw new Error(`${(error as Error).message}; the end of ${server.log}:\n${logTail(server.log)}`)
  }
}

/**
 * The server a killed launcher left running in this folder, if it still answers; null when none runs. One that runs
 * and does not answer within 5 s is ended: it is proven to be ours by its pid and start time.
 */
export async function leftRunning (stateDir: string, answers: (record: ServerRecord) => Promise<boolean>): Promise<ServerRecord | null> {
  const last = lastServer(stateDir)
  if (last === null || !last.alive) return null
  for (const each of processTree(last.pid)) signal(each, 'SIGCONT')
  const adopted = await until('silent', 5000, () => answers(last)).catch(() => false)
  if (adopted) return last
  await killTree(last.pid)
  return null
}
