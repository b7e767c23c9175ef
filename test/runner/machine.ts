import { createHash } from 'node:crypto'

/** Milliseconds that the work below takes where every time limit of the tests was chosen, with nothing else running. */
const REFERENCE_MS = 12
const ROUNDS = 15

/**
 * How much slower this machine is just now than the one on which time limits were chosen; never below 1. Every limit of the
 * tests is multiplied by it.
 */
export function slowness (): number {
  const rounds = Array.from({ length: ROUNDS }, round).sort((a, b) => a - b)
  return Math.max(1, Math.round(rounds[Math.floor(ROUNDS * 0.8)]! / REFERENCE_MS * 10) / 10)
}

function round (): number {
  const started = performance.now()
  const rows = Array.from({ length: 4000 }, (_, index) => ({ order_id: `order-${index}`, item_quantity: index, item_description: 'Café' }))
  for (let time = 0; time < 4; time++) createHash('sha256').update(JSON.stringify(JSON.parse(JSON.stringify(rows)))).digest('hex')
  return performance.now() - started
}
