import { signal } from '@preact/signals'

/** By which "2 min ago" is told; one clock for the whole page. */
const now = signal(Date.now())
setInterval(() => { if (!document.hidden) now.value = Date.now() }, 10_000)

const SAME_YEAR = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' })
const ANY_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** A moment in the time of this place; the exact one, in UTC and with milliseconds, on hover. */
export function Time ({ at, ago = false }: { at: string, ago?: boolean }) {
  const date = new Date(at)
  const format = date.getFullYear() === new Date().getFullYear() ? SAME_YEAR : ANY_YEAR
  return <time dateTime={at} title={at}>{ago ? agoOf(now.value - date.getTime()) : format.format(date)}</time>
}

function agoOf (ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 10 ? 'just now' : `${span(seconds)} ago`
}

/** 90 is "90 s", 600 "10 min", 7200 "2 h". */
export function span (seconds: number): string {
  if (seconds === 0) return '0 s'
  if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
