import { randomInt } from 'node:crypto'

/** A CPF of these first nine digits, its check digits by the definition: weights 2 to 11 from the right, 11 minus the rest, 10 and 11 count as 0. */
export function cpfOf (first: number): string {
  const digits = [...String(first).padStart(9, '0')].map(Number)
  for (let round = 0; round < 2; round++) {
    const rest = digits.toReversed().reduce((sum, digit, index) => sum + digit * (index + 2), 0) % 11
    digits.push(rest < 2 ? 0 : 11 - rest)
  }
  return digits.join('')
}

/** One that is valid: eleven times the same digit is not, whatever its check digits say. */
export function newCpf (): string {
  const first = randomInt(1_000_000_000)
  return first % 111_111_111 === 0 ? newCpf() : cpfOf(first)
}
