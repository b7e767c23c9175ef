import { type Fault, KINDS, PLANNED_KINDS, SUBJECTS, type Target, TARGETS } from './faults.js'

const USUAL_DOWN = 10

/**
 * Reads an explicit plan, as `10 broker restart; 30 postgres down 60; 40 api-redis delay 5`: second, target or subject, what is
 * done, seconds.
 * @throws Error that names the entry
 */
export function readPlan (text: string): Fault[] {
  const entries = text.split(';').map((entry) => entry.trim()).filter((entry) => entry !== '')
  return entries.map(readEntry).sort((a, b) => a.at - b.at)
}

function readEntry (entry: string): Fault {
  const fault = (what: string) => new Error(`--plan: "${entry}": ${what}`)
  const words = entry.split(/\s+/)
  const [at, name = '', kind = '', duration] = words
  if (words.length < 3 || words.length > 4) throw fault('wanted is "second target fault [seconds]"')
  const target = TARGETS.find((each) => each === name || SUBJECTS[each].includes(name))
  if (target === undefined) throw fault(`no target ${name}; there are ${[...new Set(TARGETS.flatMap((each) => [each, ...SUBJECTS[each]]))].join(', ')}`)
  const kinds = kindsOf(target)
  if (!kinds.includes(kind)) throw fault(`no fault ${kind} of ${target}; there are ${kinds.join(', ')}`)
  const seconds = [at, duration ?? usualDuration(target, kind)].map(Number)
  if (!seconds.every((value) => value >= 0 && value < 100_000)) throw fault('seconds are numbers from 0 on')
  const subject = SUBJECTS[target].includes(name) ? name : SUBJECTS[target][0]!
  return { at: seconds[0]!, target, subject, kind, duration: seconds[1]!, planned: true, ...(kind === 'delay' ? { delay: 150 } : {}) }
}

function kindsOf (target: Target): string[] {
  return [...Object.keys(KINDS[target]), ...PLANNED_KINDS[target] ?? []]
}

function usualDuration (target: Target, kind: string): number {
  const [least, most] = KINDS[target][kind] ?? (kind === 'down' ? [USUAL_DOWN, USUAL_DOWN] : [0, 0])
  return (least + most) / 2
}
