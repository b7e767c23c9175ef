import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { holderOf } from '../../local/lock.js'
import { freePort } from '../../local/ports.js'
import { PROCESSES } from '../../local/running.js'
import { startMark } from '../../local/processes.js'
import { BUILD } from '../support/build.js'
import { eventually } from '../support/eventually.js'
import { keepLine } from '../support/personal-data.js'
import type { Place } from '../support/place.js'

export interface Launched {
  /** What was started: the launcher itself unless another command was to start it. */
  readonly child: ChildProcess
  readonly env: Record<string, string>
  readonly api: string
  readonly launcherPid: number
  /** All that was printed so far. */
  text (): string
  /** Resolves with the exit code, null after a signal. */
  readonly exited: Promise<number | null>
  /** Resolves when neither launcher nor any process of it runs, and their ports are free. */
  allGone (): Promise<void>
}

export const START = [process.execPath, join(BUILD, 'local/start.js')]
/** Starting takes a second and ending less, on a busy machine many. */
const LIMIT_MS = 60_000

/**
 * `npm start` over the services of this place, ready, in a process group of its own as a shell gives it one.
 * Whatever it started ends with the test.
 */
export async function launch (t: Test, place: Place, command: readonly string[] = START, more: Record<string, string> = {}): Promise<Launched> {
  const stateDir = mkdtempSync(join(tmpdir(), 'comanda-launched-'))
  const ports = [await freePort(), await freePort(), await freePort()] as const
  const [PORT, WORKER_PORT, RELAY_PORT] = ports.map(String) as [string, string, string]
  const env = { PATH: process.env.PATH!, HOME: process.env.HOME!, ...place.env, NODE_ENV: 'development', PORT, WORKER_PORT, RELAY_PORT, COMANDA_STATE_DIR: stateDir, ...more }
  const child = spawn(command[0]!, command.slice(1), { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece: string) => { text += piece })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const pids = new Map<number, string | null>([[child.pid!, startMark(child.pid!)]])
  t.teardown(async () => {
    if (!t.passing()) t.comment(text)
    for (const [pid, mark] of pids) if (mark !== null && startMark(pid) === mark) process.kill(pid, 'SIGKILL')
    await exited
    for (const line of text.split('\n')) keepLine(line)
    rmSync(stateDir, { recursive: true, force: true })
  })
  const launcherPid = await eventually('it has begun', () => holderOf(stateDir)?.pid, LIMIT_MS)
  pids.set(launcherPid, startMark(launcherPid))
  for (const name of PROCESSES) {
    const pid = await eventually(`the ${name} runs`, () => pidIn(join(stateDir, `${name}.log`)), LIMIT_MS)
    pids.set(pid, startMark(pid))
  }
  await eventually('it is ready', () => text.includes('Comanda is ready'), LIMIT_MS)
  const allGone = async () => {
    for (const [pid, mark] of pids) await eventually(`process ${pid} is gone`, () => startMark(pid) !== mark, LIMIT_MS)
    for (const port of ports) await eventually(`port ${port} is free`, async () => await freePort(port) === port, LIMIT_MS)
  }
  return { child, env, api: `http://127.0.0.1:${PORT}`, launcherPid, text: () => text, exited, allGone }
}

/** As its log lines name it; none yet: null */
function pidIn (file: string): number | null {
  try {
    return Number(/"pid":(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  } catch {
    return null
  }
}
