import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { BUILD } from './build.js'

/** A bug for one place of a file: it must be there, once. */
export type Bug = readonly [what: RegExp, by: string]

/**
 * The service as it was transpiled, with bugs planted in one of its files. It stands below the project, so that its packages are
 * found. @param file as `worker/consumer.js` @returns the folder of its cli.js
 */
export function plantBugs (t: Test, file: string, ...bugs: readonly Bug[]): string {
  mkdirSync('.local', { recursive: true })
  const copy = mkdtempSync(join('.local', 'mutant-'))
  t.teardown(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(join(BUILD, 'src'), join(copy, 'src'), { recursive: true })
  cpSync('package.json', join(copy, 'package.json')) // its version is logged, its type is read by node
  const path = join(copy, 'src', file)
  for (const [what, by] of bugs) {
    const text = readFileSync(path, 'utf8')
    t.match(text, what, 'the place for the bug is there')
    writeFileSync(path, text.replace(what, by))
  }
  return join(copy, 'src')
}
