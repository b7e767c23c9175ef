import { Random } from '../testkit/random.js'
import { type Fault, KINDS, type Service, serviceOf, SUBJECTS, type Target } from './faults.js'

export interface Campaign {
  seed: number
  /** Length of the load. */
  seconds: number
  targets: readonly Target[]
}

/** No fault begins in what is left after this share of the time. */
export const QUIET_FROM = 0.85
/** How often a fault begins while another is on. */
const PAIRS = 0.35

/**
 * For how many seconds after its heal a service may still be away: its own start, and the back-off of those who use it.
 * Another service may go only after that.
 */
const RECOVERY: Record<Service, number> = { broker: 9, postgres: 4, redis: 3 }
const QUICK_RECOVERY = 3
const SLOW_STARTS = new Set(['kill', 'restart', 'down'])

export function recovery (fault: Fault): number {
  const service = serviceOf(fault)
  if (service === null) return 2
  return fault.target !== 'network' && SLOW_STARTS.has(fault.kind) ? RECOVERY[service] : QUICK_RECOVERY
}

export const endOf = (fault: Fault): number => fault.at + fault.duration

/**
 * Plans the faults: the same campaign always gets the same plan. One at a time, sometimes two on different targets, never two of
 * the three backing services away at once. Targets come in turn, and each target's kinds in turn, so that a short run meets
 * many.
 */
export function planFaults ({ seed, seconds, targets }: Campaign): Fault[] {
  const random = new Random(seed)
  const decks = new Map(targets.map((target) => [target, new Deck(Object.keys(KINDS[target]), random)]))
  const turns = new Deck(targets, random)
  const planned: Fault[] = []
  const last = seconds * QUIET_FROM
  for (let at = Math.min(2, seconds * 0.1); at <= last; at = round(at + random.between(0.2, 1))) {
    const on = planned.filter((fault) => at < endOf(fault) + recovery(fault))
    const running = on.filter((fault) => at < endOf(fault) + 1)
    if (running.length > 1 || (running.length === 1 && !random.chance(PAIRS / 3))) continue
    const target = turns.first((target) => !on.some((fault) => fault.target === target) && subjectsFor(target, on).length > 0)
    if (target === null) continue
    planned.push(fit(draw(target, decks.get(target)!, at, on, random), seconds))
  }
  return planned
}

function draw (target: Target, deck: Deck<string>, at: number, on: readonly Fault[], random: Random): Fault {
  const kind = deck.first(() => true)!
  const [least, most] = KINDS[target][kind]!
  const fault = { at: round(at), target, subject: random.pick(subjectsFor(target, on)), kind, duration: round(random.between(least, most)) }
  return kind === 'delay' ? { ...fault, delay: random.whole(50, 300) } : fault
}

/** A short run leaves time to come back. */
function fit (fault: Fault, seconds: number): Fault {
  return { ...fault, duration: Math.min(fault.duration, round(Math.max(seconds * 0.95 - fault.at, 0.5))) }
}

/** Those whose fault leaves no more than one service away. */
function subjectsFor (target: Target, on: readonly Fault[]): string[] {
  return SUBJECTS[target].filter((subject) => {
    const away = [...on, { target, subject }].map(serviceOf).filter((service) => service !== null)
    return new Set(away).size <= 1
  })
}

const round = (seconds: number): number => Math.round(seconds * 10) / 10

/** Cards in a shuffled order; one that was drawn goes to the bottom. */
class Deck<T> {
  #cards: T[]

  constructor (cards: readonly T[], random: Random) {
    this.#cards = random.shuffled(cards)
  }

  /** The first that fits; null when none does. */
  first (fits: (card: T) => boolean): T | null {
    const index = this.#cards.findIndex(fits)
    if (index === -1) return null
    const [card] = this.#cards.splice(index, 1)
    this.#cards.push(card!)
    return card!
  }
}
