/** What the pages of bench and drill share: they stand alone, with nothing to load. */

export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --ground: #fff; --line: #d0d7de }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --ground: #0d1117; --line: #30363d } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); margin: 2rem auto; max-width: 1040px; padding: 0 1rem }
svg { width: 100%; height: auto; display: block }
table { border-collapse: collapse; margin: 1rem 0; width: 100% } td, th { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left } td.n { text-align: right; font-variant-numeric: tabular-nums }`

export function htmlPage (title: string, style: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${PAGE_STYLE}${style}</style>
${body}
</html>
`
}

export function htmlTable (head: readonly string[], rows: ReadonlyArray<ReadonlyArray<string | number>>): string {
  const cells = (row: ReadonlyArray<string | number>) => row.map((cell) => `<td${typeof cell === 'number' ? ' class="n"' : ''}>${escape(String(cell))}`).join('')
  return `<table><tr>${head.map((name) => `<th>${name}`).join('')}${rows.map((row) => `<tr>${cells(row)}`).join('\n')}</table>`
}

export function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
