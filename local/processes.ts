import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Env } from './service.js'

export interface User { readonly uid: number, readonly gid: number }

export interface ServerSpawn {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Env
  readonly cwd: string
  /** File that gets what the server prints. */
  readonly log: string
  readonly user?: User | undefined
}

/**
 * Starts a server in a session of its own, so that Ctrl-C in the terminal does not reach it before those who use it
 * have let go, and so that it outlives a killed launcher (the next one adopts it).
 */
export function spawnServer (server: ServerSpawn): number {
  const log = openSync(server.log, 'a', 0o600)
  try {
    const child = spawn(server.command, server.args, {
      cwd: server.cwd,
      env: server.env,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
      ...server.user
    })
    child.on('error', () => {})
    child.unref()
    if (child.pid === undefined) throw new Error(`${server.command} cannot be run`)
    return child.pid
  } finally {
    closeSync(log)
  }
}

/** The fields of /proc/<pid>/stat after the name: state, parent, ..., start time as number 19. */
function procStat (pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

/**
 * What tells this process from a later one with the same pid (its start time); null when there is no such process.
 * A dead process that no parent has waited for counts as gone: in a container without an init they stay for ever.
 */
export function startMark (pid: number): string | null {
  if (process.platform === 'linux') {
    const stat = procStat(pid)
    if (stat === null || stat[0] === 'X') return null
    // Its first thread is dead; while others still end they hold its sockets open.
    const threads = Number(stat[17])
    return stat[0] === 'Z' && threads <= 1 ? null : stat[19] ?? ''
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null
  }
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
  return ps.status === 0 ? ps.stdout.trim() : 'unknown'
}

/** The command's short name, '' when it cannot be told. */
export function commandName (pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
  return spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() ?? ''
}

/** Who started this process, or took it over; null when it cannot be told. */
export function parentOf (pid: number): number | null {
  if (process.platform === 'linux') return Number(procStat(pid)?.[1] ?? 0) || null
  return Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout) || null
}

function parents (): Array<[pid: number, parent: number]> {
  if (process.platform === 'linux') {
    return readdirSync('/proc').filter(name => /^\d+$/.test(name))
      .map(name => [Number(name), Number(procStat(Number(name))?.[1] ?? 0)])
  }
  const ps = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  return (ps.stdout ?? '').trim().split('\n').map(line => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number)
    return [pid ?? 0, parent ?? 0]
  })
}

/** A process and all below it, itself first. */
export function processTree (pid: number): number[] {
  const all = parents()
  const tree = [pid]
  for (const above of tree) tree.push(...all.filter(([, parent]) => parent === above).map(([child]) => child))
  return tree
}

/** Sends a signal; a process that is already gone is no error. */
export function signal (pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Asks every 20 ms until the answer is neither false nor null. Throws `what` after `limitMs` milliseconds. */
export async function until<T> (what: string, limitMs: number, ask: () => Promise<T | false | null> | T | false | null): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== false && answer !== null) return answer
    if (performance.now() > end) throw new Error(`${what} (waited ${limitMs} ms)`)
    await pause(20)
  }
}

async function gone (pids: readonly number[], limitMs: number): Promise<boolean> {
  return await until('still there', limitMs, () => pids.every(pid => startMark(pid) === null)).catch(() => false)
}

/** Kills a process and all below it; resolves when they are gone. Throws when they are not within 5 s. */
export async function killTree (pid: number): Promise<void> {
  const tree = processTree(pid)
  for (const each of tree) signal(each, 'SIGKILL')
  if (!await gone(tree, 5000)) throw new Error(`process ${pid} survived SIGKILL`)
}

/** Orderly end: the signal (to a stopped process as well), then SIGKILL after `limitMs` milliseconds. */
export async function endProcess (pid: number, name: NodeJS.Signals, limitMs: number): Promise<void> {
  const tree = processTree(pid)
  signal(pid, name)
  for (const each of tree) signal(each, 'SIGCONT')
  if (await gone([pid], limitMs)) return
  await killTree(pid)
}
