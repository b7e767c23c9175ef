import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A fresh folder outside the project (as root, Postgres runs as a user who may not be able to enter the project). */
export function freshFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-local-'))
  chmodSync(folder, 0o711)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
