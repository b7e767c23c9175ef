import type { ComponentChildren } from 'preact'
import type { Refused } from '../api.js'

export function Failure ({ error, onRetry }: { error: Refused, onRetry?: () => void }) {
  return (
    <div class='notice wrong' role='alert'>
      <p>{error.message}</p>
      {error.problem && <p class='quiet'>{error.problem.title} · request <Code text={error.problem.request_id} /></p>}
      {onRetry && <button type='button' onClick={onRetry}>Try again</button>}
    </div>
  )
}

export function Loading ({ rows = 6 }: { rows?: number }) {
  return <div class='skeleton' role='status' aria-label='Loading'>{Array.from({ length: rows }, (_, row) => <div key={row} />)}</div>
}

export function Empty ({ children }: { children: ComponentChildren }) {
  return <p class='empty'>{children}</p>
}

/** What is loading, what failed, nothing, or what there is: in this order. */
export function Listed<T> ({ list, empty, children }: { list: { items: T[], error: Refused | null, loading: boolean, more: (() => void) | null, reload: () => void }, empty: ComponentChildren, children: ComponentChildren }) {
  return (
    <>
      {list.error && <Failure error={list.error} onRetry={list.reload} />}
      {list.loading ? <Loading /> : list.items.length === 0 ? !list.error && <Empty>{empty}</Empty> : children}
      {list.more && <p class='more'><button type='button' onClick={list.more}>Show more</button></p>}
    </>
  )
}

/** An id or bytes, whole, and easily copied. */
export function Code ({ text, short }: { text: string, short?: number }) {
  return <code title={text}>{short === undefined ? text : text.slice(0, short)}</code>
}

export function Copy ({ text, what }: { text: string, what: string }) {
  const copy = (event: Event): void => {
    const button = event.currentTarget as HTMLButtonElement
    // Without https only what stands on this machine may write there.
    void navigator.clipboard?.writeText(text).then(() => {
      button.textContent = 'Copied'
      setTimeout(() => { button.textContent = 'Copy' }, 1500)
    })
  }
  return navigator.clipboard ? <button type='button' class='small' aria-label={`Copy ${what}`} onClick={copy}>Copy</button> : null
}
