import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { faultOf } from '../../src/logs/contract.js'
import { parseLine } from '../../src/logs/parse.js'

/** Docker cuts what is longer. */
export const LONGEST_LINE = 16 * 1024

/** Whatever any process under test logged is held against the contract. @returns each fault once, with a line that has it */
export function logFaults (folder: string): string[] {
  const faults = new Map<string, string>()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.log'))) {
    for (const text of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const fault = lineFault(text)
      if (fault !== null && !faults.has(fault)) faults.set(fault, text)
    }
  }
  return [...faults].map(([fault, text]) => `a log line breaks its contract: ${fault}: ${text.slice(0, 1000)}`)
}

/** null too for what no api or worker wrote as a line */
export function lineFault (text: string): string | null {
  const line = parseLine(text)
  if (!line || !['api', 'worker', 'relay'].includes(String(line.name))) return null
  if (line.event === undefined && line.msg.startsWith('Server listening at ')) return null // of tests that listen by themselves, not by the command
  return faultOf(line) ?? (Buffer.byteLength(text) > LONGEST_LINE ? `longer than ${LONGEST_LINE} bytes` : null)
}
