/**
 * CPF: eleven digits, the last two of them check digits (Receita Federal, modulo 11). All equal digits pass the
 * arithmetic and are never issued.
 */
export function isCpf (text: string): boolean {
  if (!/^[0-9]{11}$/.test(text) || /^(.)\1{10}$/.test(text)) return false
  const digits = [...text].map(Number)
  return checkDigit(digits, 9) === digits[9] && checkDigit(digits, 10) === digits[10]
}

/** Enough to tell whether it is the one that somebody names, not enough to use it. */
export function maskedCpf (cpf: string): string {
  return `***.${cpf.slice(3, 6)}.${cpf.slice(6, 9)}-**`
}

function checkDigit (digits: readonly number[], length: number): number {
  const sum = digits.slice(0, length).reduce((total, digit, index) => total + digit * (length + 1 - index), 0)
  return (sum * 10) % 11 % 10
}
