import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/**
 * An environment in which a process dies in the middle of its work, as by a crash of its own: `code` is run before the process
 * begins, with `query` (pg's own, to be called with its client) and must assign `pg.Client.prototype.query`.
 */
export function preloading (t: Test, code: string): { NODE_OPTIONS: string } {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-preload-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'preload.mjs')
  writeFileSync(file, `import pg from ${JSON.stringify(import.meta.resolve('pg'))}\nconst { query } = pg.Client.prototype\n${code}\n`)
  return { NODE_OPTIONS: `--import=${file}` }
}
