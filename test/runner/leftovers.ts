import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

export interface Stray { pid: number, command: string }

const GRACE_MS = 2000

/**
 * What a test file started and did not end: processes with its mark in their environment, or that work in its folder for
 * temporary files (servers are given an environment of their own). They are ended. Linux alone tells; elsewhere none is found.
 * @param mark `NAME=value` @param grace how long they may take to end by themselves
 */
export async function endStrays (mark: string, folder: string, slowness: number): Promise<Stray[]> {
  let strays = find(mark, folder)
  for (const deadline = Date.now() + GRACE_MS * slowness; strays.length > 0 && Date.now() < deadline; strays = find(mark, folder)) await pause(50)
  for (const { pid } of strays) kill(pid)
  return strays
}

function find (mark: string, folder: string): Stray[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((name) => {
    try {
      const marked = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(mark)
      if (!marked && !readlinkSync(`/proc/${name}/cwd`).startsWith(folder)) return []
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      return command === '' ? [] : [{ pid: Number(name), command }] // a dead one that nobody waited for has none
    } catch {
      return [] // it ended meanwhile, or is none of ours
    }
  })
}

function kill (pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {} // it is gone
}
