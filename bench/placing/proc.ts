import { readFileSync } from 'node:fs'

/** What Linux keeps about a process; null where there is no /proc. */
function readProc (pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return null
  }
}

/** Largest resident size so far, MiB. */
export function peakMemory (pid: number): number | null {
  return memoryLine(pid, /^VmHWM:\s+(\d+) kB/m)
}

/** Resident size, MiB. */
export function memory (pid: number): number | null {
  return memoryLine(pid, /^VmRSS:\s+(\d+) kB/m)
}

function memoryLine (pid: number, line: RegExp): number | null {
  const kibibytes = line.exec(readProc(pid, 'status') ?? '')?.[1]
  return kibibytes === undefined ? null : Math.round(Number(kibibytes) / 102.4) / 10
}

/** Processor time so far, all threads, microseconds. The kernel counts it in hundredths of a second. */
export function cpuTime (pid: number): number | null {
  const stat = readProc(pid, 'stat')
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Microseconds for each of so many orders. */
export function cpuEach (before: number | null, after: number | null, orders: number): number | null {
  return before === null || after === null ? null : (after - before) / orders
}
