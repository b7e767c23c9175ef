import { Environment } from '../../src/environment.js'

/** The table of docs/configuration.md, as the schema says it. */
export function environmentTable (): string {
  const required = new Set<string>(Environment.required ?? [])
  return Object.entries(Environment.properties).map(([name, property]) => {
    const { default: standard, description } = property as { default?: unknown, description?: string }
    const shown = standard === undefined ? (required.has(name) ? 'needed' : '') : `\`${String(standard)}\``
    return `| \`${name}\` | ${shown} | ${description} |`
  }).join('\n')
}
