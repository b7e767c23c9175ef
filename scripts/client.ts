import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@hey-api/openapi-ts'

const CLIENT = 'clients/typescript/src'

/** Writes the typed client that this contract describes. */
export async function writeClient (contract: string, folder = CLIENT): Promise<void> {
  await createClient({ input: contract, output: { path: folder }, plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'], logs: { level: 'silent' } })
}

/** Whether the typed client is the one that this contract describes. */
export async function clientIsCurrent (contract: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-client-'))
  try {
    await writeClient(contract, folder)
    return filesOf(folder) === filesOf(CLIENT)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function filesOf (folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).sort()
  return JSON.stringify(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
