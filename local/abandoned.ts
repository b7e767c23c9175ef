import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { endEpmd } from './epmd.js'
import { holderOf } from './lock.js'
import { killTree } from './processes.js'
import { lastServer } from './state-folder.js'

function foldersIn (parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => join(parent, entry.name))
  } catch {
    return []
  }
}

/** In a folder all may write to, another user could plant notes that make root kill what it should not. */
function isMine (folder: string): boolean {
  return process.getuid === undefined || statSync(folder).uid === process.getuid()
}

async function endServersIn (stateDir: string): Promise<void> {
  for (const folder of foldersIn(stateDir)) {
    const last = lastServer(folder)
    if (last?.alive) await killTree(last.pid)
    if (last?.epmdPort !== undefined) await endEpmd(last.epmdPort)
  }
}

/**
 * A test run that was killed leaves its servers behind, with no run to adopt their throw-away data: the next one ends them.
 * Looks at folders beside `stateDir` that belonged to a launcher for tests who is dead, and at no other.
 */
export async function sweepAbandoned (stateDir: string): Promise<void> {
  for (const folder of foldersIn(dirname(stateDir)).filter(folder => folder !== stateDir)) {
    try {
      if (!isMine(folder)) continue
      const holder = holderOf(folder)
      if (holder === null || holder.alive || holder.purpose !== 'test') continue
      await endServersIn(folder)
      rmSync(folder, { recursive: true, force: true })
    } catch {
      // someone else's folder, or another launcher is sweeping it too: it is not ours to worry about
    }
  }
}
