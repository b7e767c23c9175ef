import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const RESULTS = join(import.meta.dirname, 'results')

/** Writes what a run came to and says where. @param file null: in RESULTS, under this name, which may hold the moment of the run */
export function save (name: string, content: string, file: string | null = null): void {
  const path = file ?? join(RESULTS, name.replaceAll(':', '-'))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  console.log(path)
}
