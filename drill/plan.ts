import { CLUSTER_KINDS, type Fault, KINDS, PLANNED_KINDS, type Stage, SUBJECTS, type Target, TARGETS } from './faults.js'

const USUAL_DOWN = 10

/**
 * Reads an explicit plan, as `10 broker restart; 30 postgres down 60; 40 api-redis delay 5`: second, target or subject, what is
 * done, seconds.
 * @throws Error that names the entry
 */
export function readPlan (text: string, stage: Stage = 'single'): Fault[] {
  const entries = text.split(';').map((entry) => entry.trim()).filter((entry) => entry !== '')
  return entries.map((entry) => readEntry(entry, stage)).sort((a, b) => a.at - b.at)
}

function readEntry (entry: string, stage: Stage): Fault {
  const fault = (what: string) => new Error(`--plan: "${entry}": ${what}`)
  const words = entry.split(/\s+/)
  const [at, name = '', kind = '', duration] = words
  if (words.length < 3 || words.length > 4) throw fault('wanted is "second target fault [seconds]"')
  const target = TARGETS.find((each) => each === name || subjectsOf(each, stage).includes(name))
  if (target === undefined) throw fault(`no target ${name}; there are ${[...new Set(TARGETS.flatMap((each) => [each, ...subjectsOf(each, stage)]))].join(', ')}`)
  const kinds = kindsOf(target, stage)
  if (!kinds.includes(kind)) throw fault(`no fault ${kind} of ${target}; there are ${kinds.join(', ')}`)
  const seconds = [at, duration ?? usualDuration(target, kind)].map(Number)
  if (!seconds.every((value) => value >= 0 && value < 100_000)) throw fault('seconds are numbers from 0 on')
  const subjects = inCluster(target, stage)[kind]?.subjects ?? SUBJECTS[target]
  if (name !== target && !subjects.includes(name)) throw fault(`${kind} is done to ${subjects.join(' or ')}`)
  const subject = subjects.includes(name) ? name : subjects[0]!
  return { at: seconds[0]!, target, subject, kind, duration: seconds[1]!, planned: true, ...(kind === 'delay' ? { delay: 150 } : {}) }
}

function inCluster (target: Target, stage: Stage): Record<string, { subjects: readonly string[], seconds: readonly [number, number] }> {
  return stage === 'cluster' ? CLUSTER_KINDS[target as keyof typeof CLUSTER_KINDS] ?? {} : {}
}

function subjectsOf (target: Target, stage: Stage): string[] {
  return [...SUBJECTS[target], ...Object.values(inCluster(target, stage)).flatMap(({ subjects }) => subjects)]
}

/** Of a cluster nothing that would be done to all of it at once. */
function kindsOf (target: Target, stage: Stage): string[] {
  const clustered = Object.keys(inCluster(target, stage))
  return clustered.length > 0 ? clustered : [...Object.keys(KINDS[target]), ...PLANNED_KINDS[target] ?? []]
}

function usualDuration (target: Target, kind: string): number {
  const [least, most] = CLUSTER_KINDS[target as keyof typeof CLUSTER_KINDS]?.[kind]?.seconds ?? KINDS[target][kind] ?? (kind === 'down' ? [USUAL_DOWN, USUAL_DOWN] : [0, 0])
  return (least + most) / 2
}
