/** Reading a command line with `parseArgs`: what every script of ours does alike. */

export const TEXT = { type: 'string' } as const
export const FLAG = { type: 'boolean' } as const

/** @returns null when only the usage was asked for, and printed @throws Error with the usage for what cannot be understood */
export function readWithUsage<T> (args: readonly string[], usage: string, read: () => T): T | null {
  if (args.includes('--help')) {
    console.log(usage)
    return null
  }
  try {
    return read()
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`)
  }
}

/** @throws Error naming the option */
export function wholeNumber (name: string, text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`--${name} must be a whole number above 0`)
  return Number(text)
}
