import { signal } from '@preact/signals'

/** Where the page is, from what stands behind `#`: `#/orders/1?x=y` is { path: ['orders', '1'], query: { x: 'y' } }. */
export interface Route { path: string[], query: Record<string, string> }

function read (): Route {
  const [path = '', query = ''] = location.hash.slice(1).split('?', 2)
  return { path: path.split('/').filter(Boolean).map(decoded), query: Object.fromEntries(new URLSearchParams(query)) }
}

function decoded (segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

export const route = signal<Route>(read())
addEventListener('hashchange', () => { route.value = read() })

/** The address of a page, for links. */
export function to (path: string, query: Record<string, string | number | undefined> = {}): string {
  const known = Object.entries(query).filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => [name, String(value)])
  return `#/${path}${known.length === 0 ? '' : `?${new URLSearchParams(known as Array<[string, string]>).toString()}`}`
}

export function go (path: string, query: Record<string, string | number | undefined> = {}): void {
  location.hash = to(path, query)
}
