import type { App } from './apps.js'

export interface Sample { name: string, labels: Record<string, string>, value: number }

/** Every sample of a text in the Prometheus format. */
export function samplesOf (text: string): Sample[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => {
    const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (!name) throw new Error(`no sample: ${line}`)
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, of]) => [label!, of!] as const)
    return { name, labels: Object.fromEntries(pairs), value: Number(value) }
  })
}

export async function scrape (app: App): Promise<Sample[]> {
  return samplesOf((await app.inject('/metrics')).body)
}

/** The sum over every sample of that name that has these labels; undefined: there is none. */
export function valueOf (samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  const found = samples.filter((sample) => sample.name === name && Object.entries(labels).every(([label, of]) => sample.labels[label] === of))
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
}
