/** Prints rows below a head; the first and the last column are words, the others figures. */
export function table (head: string[], rows: string[][]): void {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const pad = (text: string, column: number) => column === 0 || column === head.length - 1 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  console.log()
  for (const row of all) console.log(row.map(pad).join('  ').trimEnd())
}
