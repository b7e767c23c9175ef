import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, type Refused } from './api.js'

export interface Loaded<T> {
  /** What was read last; it stays while it is read again, and when that fails. */
  data: T | null
  error: Refused | null
  /** Nothing was read yet. */
  loading: boolean
  reload (): void
}

/** Reads a path, again whenever it is another, and every so often while the page is looked at. @param path null: nothing */
export function useLoaded<T> (path: string | null, everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ path: string | null, data: T | null, error: Refused | null }>({ path, data: null, error: null })
  const [times, setTimes] = useState(0)
  const latest = useRef(path)
  latest.current = path

  useEffect(() => {
    if (path === null) return
    const ending = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async (): Promise<void> => {
      if (document.hidden && everyMs !== undefined) return again()
      try {
        const data = await ask<T>('GET', path, undefined, { signal: ending.signal })
        if (!ending.signal.aborted) setState({ path, data, error: null })
      } catch (error) {
        if (!ending.signal.aborted) setState((before) => ({ path, data: before.path === path ? before.data : null, error: error as Refused }))
      }
      again()
    }
    const again = (): void => {
      if (everyMs !== undefined && !ending.signal.aborted) timer = setTimeout(() => { void look() }, everyMs)
    }
    void look()
    return () => {
      ending.abort()
      clearTimeout(timer)
    }
  }, [path, everyMs, times])

  const current = state.path === path ? state : { data: null, error: null }
  return { data: current.data, error: current.error, loading: current.data === null && current.error === null, reload: () => setTimes((before) => before + 1) }
}

interface Page<T> { items: T[], next_cursor: string | null }

export interface Pages<T> {
  items: T[]
  error: Refused | null
  loading: boolean
  /** null: there are no more */
  more: (() => void) | null
  reload (): void
}

/** A list, a page at a time: the first at once, the next ones when asked for. @param path with its query, without cursor */
export function usePages<T> (path: string, everyMs?: number): Pages<T> {
  const first = useLoaded<Page<T>>(path, everyMs)
  const [rest, setRest] = useState<{ path: string, items: T[], next: string | null, error: Refused | null } | null>(null)
  const { items: begun, next_cursor: begunNext } = first.data ?? { items: [], next_cursor: null }
  const own = rest?.path === path ? rest : { items: [], next: begunNext, error: null }
  const { next } = own
  const more = (): void => {
    const url = `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(next!)}`
    void ask<Page<T>>('GET', url).then(
      ({ items, next_cursor }) => setRest({ path, items: [...own.items, ...items], next: next_cursor, error: null }),
      (error: Refused) => setRest({ path, items: own.items, next, error })
    )
  }
  return {
    items: [...begun, ...own.items],
    error: first.error ?? own.error,
    loading: first.loading,
    more: next === null ? null : more,
    reload: () => {
      setRest(null)
      first.reload()
    }
  }
}
