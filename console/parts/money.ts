const FORMAT = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/** Cents, as amounts are kept; which currency is the shop's own. */
export function money (cents: number): string {
  return FORMAT.format(cents / 100)
}
